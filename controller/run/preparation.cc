#include "controller/run/preparation.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/run/world/packet.h"
#include "controller/run/world/spawn.h"

namespace misrule::controller {
namespace {

constexpr char kProgressMark = 'p';
constexpr char kFailureMark = 'f';
constexpr char kWrongSpecMark = 'w';

[[noreturn]] void become_preparer(const std::vector<ServicePlan>& plans, int socket) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);
  reset_signals();
  const auto say = [socket](char mark, std::string_view text) {
    static_cast<void>(send_packet(socket, mark + std::string(text)).has_value());
  };
  for (const ServicePlan& plan : plans) {
    const Status done =
        prepare_service(plan, [&say](std::string_view what) { say(kProgressMark, what); });
    if (done) continue;
    if (done.error().code == Code::kInvalid) {
      say(kWrongSpecMark, plan.service.name + ": " + done.error().what);
    } else {
      say(kFailureMark, "preparing " + plan.service.name + ": " + done.error().what);
    }
    ::_exit(1);
  }
  ::_exit(0);
}

/// Follows the child until it closes its end. Why it did not succeed; empty if it did.
Status follow(int socket, int interrupt_fd, const Progress& progress) {
  Status outcome;
  while (true) {
    std::array<pollfd, 2> waits = {{{.fd = socket, .events = POLLIN, .revents = 0},
                                    {.fd = interrupt_fd, .events = POLLIN, .revents = 0}}};
    ::poll(waits.data(), waits.size(), -1);
    if (waits[1].revents != 0) return fail(Code::kCancelled, "interrupted");
    if (waits[0].revents == 0) continue;
    const auto packet = receive_packet(socket);
    if (!packet || !*packet) return outcome;
    const std::string& text = (*packet)->text;
    if (text.starts_with(kProgressMark)) progress(std::string_view(text).substr(1));
    if (text.starts_with(kFailureMark)) outcome = fail(Code::kIo, text.substr(1));
    if (text.starts_with(kWrongSpecMark)) outcome = fail(Code::kInvalid, text.substr(1));
  }
}

/// PID 1 of a namespace of its own: what it starts ends with it, daemons too, and has ended before
/// it can be waited for.
pid_t fork_with_all_its_children() {
  clone_args arguments = {};
  arguments.flags = CLONE_NEWPID | CLONE_NEWIPC;
  arguments.exit_signal = SIGCHLD;
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

Status prepare_in_child(const std::vector<ServicePlan>& plans, int interrupt_fd,
                        const Progress& progress) {
  MISRULE_TRY(SocketPair pair, make_socket_pair(SOCK_SEQPACKET));
  const pid_t child = fork_with_all_its_children();
  if (child < 0) return std::unexpected(errno_error("clone3", errno));
  if (child == 0) {
    pair.first.reset();
    become_preparer(plans, pair.second.fd());
  }
  pair.second.reset();
  Status outcome = follow(pair.first.fd(), interrupt_fd, progress);
  if (!outcome) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (outcome && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
    return fail(Code::kIo, "the process that prepares the services was lost");
  }
  return outcome;
}

}  // namespace

Result<std::vector<UniqueFd>> prepare_services(const std::vector<ServicePlan>& plans,
                                               int interrupt_fd, const Progress& progress) {
  std::vector<UniqueFd> holds;
  for (const ServicePlan& plan : plans) {
    MISRULE_TRY(UniqueFd hold, hold_service(plan));
    holds.push_back(std::move(hold));
  }
  MISRULE_TRY_VOID(prepare_in_child(plans, interrupt_fd, progress));
  return holds;
}

}  // namespace misrule::controller
