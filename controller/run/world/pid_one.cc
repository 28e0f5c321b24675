#include "controller/run/world/pid_one.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <set>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/run/world/journal.h"
#include "controller/run/world/namespaces.h"
#include "controller/run/world/packet.h"
#include "controller/run/world/spawn.h"

namespace misrule::controller {
namespace {

constexpr int kExitNotFurnished = 71;

class PidOne {
 public:
  PidOne(PidOneSeat seat, const WorkerMain& worker) : seat_(std::move(seat)), worker_(worker) {}

  [[noreturn]] void run();

 private:
  void prepare_signals();
  Status start_worker();
  [[noreturn]] void become_worker(UniqueFd init);
  void serve_worker();
  void spawn(const SpawnOrder& order, const std::vector<UniqueFd>& fds);
  void reap();
  void take_signal();
  void pass_on_terminate();
  [[noreturn]] void end(int status);
  void tell(const InitReport& report);

  PidOneSeat seat_;
  const WorkerMain& worker_;
  UniqueFd signals_ = {};
  UniqueFd worker_socket_ = {};
  pid_t worker_pid_ = -1;
  std::set<pid_t> services_ = {};
  bool terminates_ = false;  ///< Services have been told to end: how they do is not their doing.
  bool kept_ = false;
};

int exit_code_of(int wait_status) {
  constexpr int kSignalled = 128;
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : kSignalled + WTERMSIG(wait_status);
}

void PidOne::prepare_signals() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&wanted, signal);
  ::sigprocmask(SIG_SETMASK, &wanted, nullptr);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

void PidOne::become_worker(UniqueFd init) {
  ::prctl(PR_SET_NAME, "misrule-worker");
  reset_signals();
  ::signal(SIGPIPE, SIG_IGN);
  signals_.reset();
  seat_.coordinator.reset();
  seat_.nursery.reset();
  seat_.folder_lock.reset();
  const int code = worker_({.order = std::move(seat_.order),
                            .init = std::move(init),
                            .coordinator = std::move(seat_.coordinator_stream),
                            .events = std::move(seat_.events)});
  std::fflush(nullptr);
  ::_exit(code);
}

Status PidOne::start_worker() {
  MISRULE_TRY(SocketPair pair, make_socket_pair(SOCK_SEQPACKET));
  worker_pid_ = ::fork();
  if (worker_pid_ < 0) return std::unexpected(errno_error("fork", errno));
  if (worker_pid_ == 0) {
    pair.first.reset();
    become_worker(std::move(pair.second));
  }
  worker_socket_ = std::move(pair.first);
  // The worker's end must be the only one: the coordinator takes its closing for the worker's end.
  seat_.coordinator_stream.reset();
  seat_.events.reset();
  return {};
}

void PidOne::tell(const InitReport& report) {
  // A worker that does not listen is ending, and its end is noticed by itself.
  static_cast<void>(send_packet(worker_socket_.fd(), report_to_json(report)).has_value());
}

void PidOne::spawn(const SpawnOrder& order, const std::vector<UniqueFd>& fds) {
  const Result<pid_t> pid = spawn_process(order, fds);
  if (!pid) {
    tell({.token = order.token, .error = pid.error().what});
    return;
  }
  services_.insert(*pid);
  tell({.token = order.token, .pid = *pid});
}

void PidOne::serve_worker() {
  const auto packet = receive_packet(worker_socket_.fd());
  if (!packet || !*packet) {
    worker_socket_.reset();
    return;
  }
  const Result<InitRequest> request = request_from_json((*packet)->text);
  if (!request) return;
  if (request->spawn) spawn(*request->spawn, (*packet)->fds);
  if (services_.contains(request->kill_pid)) ::kill(request->kill_pid, request->signal);
  if (request->keep && !kept_) {
    kept_ = true;
    record_kept(seat_.order.id);
    detach_output();
    seat_.coordinator.reset();
    seat_.nursery.reset();
    tell({.token = kKeptToken});
  }
}

void PidOne::reap() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid == worker_pid_) end(exit_code_of(status));
    if (services_.erase(pid) == 0) continue;
    tell({.pid = pid, .status = status, .was_told_to_end = terminates_});
  }
}

void PidOne::pass_on_terminate() {
  // Who has ended by now has ended by itself.
  reap();
  terminates_ = true;
  for (const pid_t pid : services_) ::kill(pid, SIGTERM);
}

void PidOne::take_signal() {
  signalfd_siginfo signal = {};
  while (::read(signals_.fd(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo != SIGCHLD) pass_on_terminate();
  }
  reap();
}

void PidOne::end(int status) {
  ::kill(-1, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  release_world_folder(seat_.order.id);
  remove_world_folder(seat_.order.id);
  ::_exit(status);
}

void PidOne::run() {
  ::prctl(PR_SET_NAME, "misrule-init");
  prepare_signals();
  Status made = furnish_world(seat_.order);
  if (made) made = start_worker();
  if (!made) {
    const boost::json::object line = {{"setup_failed", made.error().what}};
    static_cast<void>(
        write_all(seat_.coordinator_stream.fd(), boost::json::serialize(line) + "\n").has_value());
    end(kExitNotFurnished);
  }
  while (true) {
    std::array<pollfd, 4> waits = {{{.fd = signals_.fd(), .events = POLLIN, .revents = 0},
                                    {.fd = worker_socket_.fd(), .events = POLLIN, .revents = 0},
                                    {.fd = seat_.coordinator.fd(), .events = POLLIN, .revents = 0},
                                    {.fd = seat_.nursery.fd(), .events = POLLIN, .revents = 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;
    if (waits[2].revents != 0 || waits[3].revents != 0) end(1);
    if (waits[1].revents != 0) serve_worker();
    if (waits[0].revents != 0) take_signal();
  }
}

}  // namespace

void run_pid_one(PidOneSeat seat, const WorkerMain& worker) {
  PidOne one(std::move(seat), worker);
  one.run();
}

}  // namespace misrule::controller
