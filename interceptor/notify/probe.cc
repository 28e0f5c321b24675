#include "interceptor/notify/probe.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interceptor/interceptor.h"
#include "interceptor/notify/listener.h"

namespace misrule::interceptor {
namespace {

constexpr unsigned long kWaitKillable = SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

std::string error_text(int error) { return std::generic_category().message(error); }

// A listener for getppid(), which neither a library nor a sanitizer calls behind our back.
int install_probe_filter(unsigned long extra_flags) {
  std::array<sock_filter, 4> program = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  sock_fprog header = {.len = program.size(), .filter = program.data()};
  const unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | extra_flags;
  const long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &header);
  return fd < 0 ? -errno : static_cast<int>(fd);
}

// A thread under the probe filter; filter and no_new_privs end with it.
class FilteredThread {
 public:
  FilteredThread() {
    std::promise<int> installed;
    auto listener = installed.get_future();
    thread_ = std::thread([this, &installed] { body(installed); });
    fd_ = listener.get();
  }
  ~FilteredThread() { thread_.join(); }

  int listener() const { return fd_; }  ///< Or -errno.
  bool has_wait_killable() const { return wait_killable_; }

 private:
  void body(std::promise<int>& installed) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int fd = install_probe_filter(kWaitKillable);
    wait_killable_ = fd >= 0;
    if (fd == -EINVAL) fd = install_probe_filter(0);
    installed.set_value(fd);
    if (fd >= 0) (void)syscall(SYS_getppid);
  }

  std::thread thread_ = {};
  int fd_ = -1;
  bool wait_killable_ = false;
};

}  // namespace

Result<NotificationSupport> probe_notification() {
  FilteredThread thread;
  if (thread.listener() < 0) {
    return fail(Code::kUnsupported, "seccomp user notification: " + error_text(-thread.listener()));
  }
  Listener listener{UniqueFd(thread.listener())};
  NotificationSupport out = {.wait_killable = thread.has_wait_killable(),
                             .sync_wake_up = listener.enable_sync_wake_up()};
  Notification call;
  const bool served = listener.receive(call) && listener.let_go_on(call.id);
  if (!served) return fail(Code::kUnsupported, "seccomp user notification: " + error_text(errno));
  return out;
}

namespace {

Probe of_result(std::string name, int error, std::string cost) {
  return {.name = std::move(name),
          .available = error == 0,
          .detail = error == 0 ? "works" : error_text(error),
          .cost = error == 0 ? std::string{} : std::move(cost)};
}

// 0 or an errno: gives the waiting thread a descriptor.
int try_addfd(int listener, std::uint64_t id) {
  seccomp_notif_addfd request = {};
  request.id = id;
  request.srcfd = 0;
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  request.srcfd = static_cast<std::uint32_t>(fd);
  const int given = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &request);
  const int error = given < 0 ? errno : 0;
  close(fd);
  // The thread is one of ours, so the descriptor is too.
  if (given >= 0) close(given);
  return error;
}

int try_pidfd_getfd() {
  const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  if (!pidfd.valid()) return errno;
  const UniqueFd copy(static_cast<int>(syscall(SYS_pidfd_getfd, pidfd.fd(), pidfd.fd(), 0)));
  return copy.valid() ? 0 : errno;
}

int try_thread_pidfd() {
  int error = 0;
  std::thread([&] {
    const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, gettid(), O_EXCL)));
    error = pidfd.valid() ? 0 : errno;
  }).join();
  return error;
}

int try_remote_read() {
  int value = 7;
  int copy = 0;
  iovec local = {.iov_base = &copy, .iov_len = sizeof(copy)};
  iovec remote = {.iov_base = &value, .iov_len = sizeof(value)};
  const ssize_t count = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  return count == sizeof(copy) ? 0 : errno;
}

// In a child that does nothing else, so that nothing of this process changes.
int try_namespaces(int flags) {
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(unshare(flags) == 0 ? 0 : errno & 0x7f);
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return ECHILD;
  return WEXITSTATUS(status);
}

void add_listener_probes(std::vector<Probe>& out) {
  FilteredThread thread;
  const int error = thread.listener() < 0 ? -thread.listener() : 0;
  out.push_back(
      of_result("seccomp user notification", error, "no system call can be seen or failed"));
  if (error != 0) return;
  Listener listener{UniqueFd(thread.listener())};
  out.push_back(of_result("WAIT_KILLABLE_RECV", thread.has_wait_killable() ? 0 : EINVAL,
                          "a signal during a delayed call ends it with EINTR"));
  out.push_back(of_result("SYNC_WAKE_UP", listener.enable_sync_wake_up() ? 0 : EINVAL,
                          "an intercepted call costs about three times as much"));
  Notification call;
  if (!listener.receive(call)) return;
  out.push_back(of_result("ADDFD", try_addfd(listener.fd(), call.id),
                          "open() cannot be answered with a descriptor of our making"));
  listener.let_go_on(call.id);
}

}  // namespace

std::vector<Probe> probe_kernel() {
  std::vector<Probe> out;
  add_listener_probes(out);
  out.push_back(of_result("pidfd_getfd", try_pidfd_getfd(), "connect() cannot be redirected"));
  out.push_back(of_result("pidfd of a thread", try_thread_pidfd(),
                          "descriptors of a process whose first thread has ended are not seen"));
  out.push_back(
      of_result("process_vm_readv", try_remote_read(), "addresses and paths are not seen"));
  out.push_back(of_result("mount, pid, network and ipc namespaces",
                          try_namespaces(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC),
                          "tests cannot have a world of their own: run as root or with sudo"));
  out.push_back(
      of_result("user namespaces", try_namespaces(CLONE_NEWUSER), "no worlds without root"));
  return out;
}

}  // namespace misrule::interceptor
