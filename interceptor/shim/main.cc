// misrule-shim SOCKET -- PROGRAM ARGUMENTS...
//
// Becomes PROGRAM under a seccomp filter whose listener the supervisor at the other end of
// descriptor SOCKET serves. A filter is a thread's own: the second thread installs it, spins, and
// then executes the program, and makes no other call. So no filter can deadlock the launch. The
// first, unfiltered thread talks. execve() from the second ends the first and keeps the process id.

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interceptor/shim/handover.h"
#include "interceptor/shim/program_path.h"

namespace misrule::interceptor {
namespace {

constexpr int kExitUsage = 126;
constexpr int kExitNotExecuted = 127;

// What both threads see. Only atomics change after the second one runs.
struct Launch {
  ReceivedOrder order = {};
  std::string path = {};
  char** argv = nullptr;
  int death_signal = 0;
  std::atomic<int> listener = -1;  // A descriptor, or -1000 less an errno.
  std::atomic<bool> go = false;
  std::atomic<int> exec_error = 0;
};

constexpr int kErrorsBelow = -1000;

std::string error_text(const char* what, int error) {
  return std::string(what) + ": " + strerror(error);
}

bool has_cap_sys_admin() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> sets = {};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return false;
  return (sets[0].effective & (1U << CAP_SYS_ADMIN)) != 0;
}

std::string switch_user(const ReceivedOrder& order) {
  if (order.order.switches_user == 0) return {};
  std::vector<gid_t> groups(order.groups.begin(), order.groups.end());
  const gid_t gid = order.order.gid;
  const uid_t uid = order.order.uid;
  if (setgroups(groups.size(), groups.data()) != 0) return error_text("setgroups", errno);
  if (setresgid(gid, gid, gid) != 0) return error_text("setresgid", errno);
  if (setresuid(uid, uid, uid) != 0) return error_text("setresuid", errno);
  return {};
}

long install(const Launch& launch) {
  sock_fprog program = {.len = static_cast<unsigned short>(launch.order.filter.size()),
                        .filter = const_cast<sock_filter*>(launch.order.filter.data())};
  const unsigned long flags = launch.order.order.filter_flags;
  long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (listener < 0 && errno == EINVAL) {
    const unsigned long older = flags & ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, older, &program);
  }
  return listener < 0 ? kErrorsBelow - errno : listener;
}

// From the filter on it spins instead of sleeping: even futex() could be a call that waits for us.
void* filtered_thread(void* argument) {
  Launch& launch = *static_cast<Launch*>(argument);
  // A parent's death signal is a thread's own and not inherited by the one that will live on.
  if (launch.death_signal != 0) prctl(PR_SET_PDEATHSIG, launch.death_signal);
  launch.listener.store(static_cast<int>(install(launch)));
  while (!launch.go.load()) __builtin_ia32_pause();
  syscall(SYS_execve, launch.path.c_str(), launch.argv, environ);
  launch.exec_error.store(errno);
  while (true) __builtin_ia32_pause();
}

int give_up(int socket, const std::string& sentence, int code) {
  send_failure(socket, sentence);
  (void)!fprintf(stderr, "misrule-shim: %s\n", sentence.c_str());
  return code;
}

// Ends with the process, by execve() or by exit.
int hand_over_and_wait(Launch& launch, int socket) {
  int listener = -1;
  while ((listener = launch.listener.load()) == -1) sched_yield();
  if (listener <= kErrorsBelow) {
    return give_up(socket, error_text("seccomp", kErrorsBelow - listener), kExitUsage);
  }
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return give_up(socket, error_text("pipe", errno), kExitUsage);
  }
  const std::array<int, 2> handed = {listener, ends[0]};
  if (!send_ready(socket, handed)) return kExitUsage;
  // The program must not own its own listener: a dead supervisor would then hang it.
  close(listener);
  close(ends[0]);
  if (!wait_for_go(socket)) return kExitUsage;
  launch.go.store(true);
  // Success ends this thread in the middle of the wait.
  while (launch.exec_error.load() == 0) poll(nullptr, 0, 1);
  const std::string sentence =
      error_text(("exec " + launch.path).c_str(), launch.exec_error.load());
  (void)!write(ends[1], sentence.data(), sentence.size());
  (void)!fprintf(stderr, "misrule-shim: %s\n", sentence.c_str());
  return kExitNotExecuted;
}

int run(int socket, char** argv) {
  static Launch launch;  // The second thread may outlive this frame.
  if (fcntl(socket, F_SETFD, FD_CLOEXEC) != 0) return kExitUsage;
  if (!take_order(socket, launch.order)) return give_up(socket, "no order", kExitUsage);
  if (const std::string error = switch_user(launch.order); !error.empty()) {
    return give_up(socket, error, kExitUsage);
  }
  ProgramPath program = find_program(argv[0]);
  if (program.path.empty()) return give_up(socket, program.error, kExitNotExecuted);
  launch.path = std::move(program.path);
  launch.argv = argv;
  prctl(PR_GET_PDEATHSIG, &launch.death_signal);
  if (!has_cap_sys_admin() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return give_up(socket, error_text("no_new_privs", errno), kExitUsage);
  }
  pthread_t thread = {};
  if (const int error = pthread_create(&thread, nullptr, filtered_thread, &launch); error != 0) {
    return give_up(socket, error_text("thread", error), kExitUsage);
  }
  return hand_over_and_wait(launch, socket);
}

}  // namespace
}  // namespace misrule::interceptor

int main(int argc, char** argv) {
  if (argc < 4 || std::strcmp(argv[2], "--") != 0) {
    (void)!fprintf(stderr, "misrule-shim: is started by misrule only\n");
    return misrule::interceptor::kExitUsage;
  }
  const int code = misrule::interceptor::run(std::atoi(argv[1]), argv + 3);
  // _exit: the filtered thread still spins, and must not meet destructors.
  _exit(code);
}
