#include "controller/run/world/nursery.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <map>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "controller/run/world/journal.h"
#include "controller/run/world/namespaces.h"
#include "controller/run/world/own_json.h"
#include "controller/run/world/packet.h"

namespace misrule::controller {
namespace {

// Worlds see the coordinator's end by themselves; what has not ended by then is killed.
constexpr auto kWorldsEndWithin = std::chrono::milliseconds(1500);
// Longer than that: a nursery that has not ended by then is stuck.
constexpr int kNurseryEndsWithinMs = 5000;

int open_pidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

struct Child {
  std::string world = {};
  UniqueFd pidfd = {};
};

/// The nursery's own process.
class NurseryProcess {
 public:
  NurseryProcess(UniqueFd socket, UniqueFd coordinator, const WorkerMain& worker)
      : socket_(std::move(socket)), coordinator_(std::move(coordinator)), worker_(worker) {}

  [[noreturn]] void run();

 private:
  void serve();
  Status start_world(WorldOrder order, std::vector<UniqueFd> fds);
  [[noreturn]] void become_pid_one(WorldOrder order, std::vector<UniqueFd> fds, UniqueFd nursery);
  void reap();
  void take_signals();
  [[noreturn]] void end();
  void tell(const boost::json::object& report, std::span<const int> fds = {});

  UniqueFd socket_;
  UniqueFd coordinator_;
  const WorkerMain& worker_;
  UniqueFd signals_ = {};
  std::map<pid_t, Child> children_ = {};
};

void NurseryProcess::tell(const boost::json::object& report, std::span<const int> fds) {
  // A coordinator that is gone is noticed by its pidfd.
  static_cast<void>(send_packet(socket_.fd(), boost::json::serialize(report), fds).has_value());
}

void NurseryProcess::become_pid_one(WorldOrder order, std::vector<UniqueFd> fds, UniqueFd nursery) {
  socket_.reset();
  signals_.reset();
  children_.clear();
  run_pid_one({.order = std::move(order),
               .coordinator_stream = std::move(fds[0]),
               .events = std::move(fds[1]),
               .folder_lock = std::move(fds[2]),
               .coordinator = std::move(coordinator_),
               .nursery = std::move(nursery)},
              worker_);
}

Status NurseryProcess::start_world(WorldOrder order, std::vector<UniqueFd> fds) {
  UniqueFd myself(open_pidfd(::getpid()));
  if (!myself.valid()) return std::unexpected(errno_error("pidfd_open", errno));
  int pidfd = -1;
  clone_args arguments = {};
  arguments.flags = world_clone_flags(order) | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  const std::string id = order.id;
  // The raw call: fork() cannot make namespaces, and unshare() would make the nursery's own next
  // ones.
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) become_pid_one(std::move(order), std::move(fds), std::move(myself));
  if (pid < 0) return std::unexpected(errno_error("making a world's namespaces", errno));
  Child child = {.world = id, .pidfd = UniqueFd(pidfd)};
  if (const auto name = name_process(static_cast<pid_t>(pid))) {
    static_cast<void>(record_pid_one(id, *name).has_value());
  }
  const int sent[] = {child.pidfd.fd()};
  children_.emplace(static_cast<pid_t>(pid), std::move(child));
  tell({{"started", id}}, sent);
  return {};
}

void NurseryProcess::serve() {
  auto packet = receive_packet(socket_.fd());
  if (!packet || !*packet) end();
  Result<WorldOrder> order = order_from_json((*packet)->text);
  if (!order || (*packet)->fds.size() != 3) {
    tell({{"failed", ""}, {"error", "an order for a world that cannot be read"}});
    return;
  }
  const std::string id = order->id;
  if (const Status started = start_world(*std::move(order), std::move((*packet)->fds)); !started) {
    tell({{"failed", id}, {"error", started.error().what}});
  }
}

void NurseryProcess::reap() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
    const auto child = children_.find(pid);
    if (child == children_.end()) continue;
    // PID 1 does it by itself, unless it was killed.
    remove_world_folder(child->second.world);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    tell({{"ended", child->second.world}, {"status", code}});
    children_.erase(child);
  }
}

void NurseryProcess::end() {
  const auto deadline = std::chrono::steady_clock::now() + kWorldsEndWithin;
  std::erase_if(children_, [](const auto& child) { return is_recorded_kept(child.second.world); });
  while (!children_.empty()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      for (const auto& [pid, child] : children_) ::kill(pid, SIGKILL);
    }
    pollfd wait = {.fd = signals_.fd(), .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 50)));
    signalfd_siginfo drained = {};
    while (::read(signals_.fd(), &drained, sizeof drained) > 0) {
    }
    reap();
  }
  ::_exit(0);
}

void NurseryProcess::take_signals() {
  signalfd_siginfo signal = {};
  while (::read(signals_.fd(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo != SIGCHLD) end();
  }
  reap();
}

void NurseryProcess::run() {
  ::prctl(PR_SET_NAME, "misrule-nursery");
  ::setsid();
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&wanted, signal);
  ::sigprocmask(SIG_SETMASK, &wanted, nullptr);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  while (true) {
    std::array<pollfd, 3> waits = {{{.fd = signals_.fd(), .events = POLLIN, .revents = 0},
                                    {.fd = socket_.fd(), .events = POLLIN, .revents = 0},
                                    {.fd = coordinator_.fd(), .events = POLLIN, .revents = 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;
    if (waits[2].revents != 0) end();
    if (waits[0].revents != 0) take_signals();
    if (waits[1].revents != 0) serve();
  }
}

std::string text_at(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

NurseryReport read_report(Packet& packet) {
  const Result<boost::json::object> said = read_own_json(packet.text);
  if (!said) return {.error = "the nursery said something unreadable"};
  const boost::json::object& object = *said;
  if (object.contains("started") && !packet.fds.empty()) {
    return {.id = text_at(object, "started"),
            .kind = NurseryReport::Kind::kStarted,
            .pidfd = std::move(packet.fds[0])};
  }
  if (object.contains("ended")) {
    const boost::json::value* status = object.if_contains("status");
    return {.id = text_at(object, "ended"),
            .kind = NurseryReport::Kind::kEnded,
            .status = status == nullptr ? 0 : static_cast<int>(status->as_int64())};
  }
  return {.id = text_at(object, "failed"), .error = text_at(object, "error")};
}

}  // namespace

Result<Nursery> Nursery::start(const WorkerMain& worker) {
  MISRULE_TRY(SocketPair pair, make_socket_pair(SOCK_SEQPACKET));
  UniqueFd coordinator(open_pidfd(::getpid()));
  if (!coordinator.valid()) return std::unexpected(errno_error("pidfd_open", errno));
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(errno_error("forking the nursery", errno));
  if (pid == 0) {
    pair.first.reset();
    NurseryProcess process(std::move(pair.second), std::move(coordinator), worker);
    process.run();
  }
  return Nursery(std::move(pair.first), pid);
}

Nursery::~Nursery() {
  if (!socket_.valid()) return;
  socket_.reset();
  const UniqueFd process(open_pidfd(pid_));
  pollfd wait = {.fd = process.fd(), .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, kNurseryEndsWithinMs) == 0) kill();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Nursery::kill() { ::kill(pid_, SIGKILL); }

Status Nursery::order(const WorldOrder& order, const Descriptors& descriptors) {
  const int fds[] = {descriptors.stream, descriptors.events, descriptors.folder_lock};
  return send_packet(socket_.fd(), order_to_json(order), fds);
}

Result<std::optional<NurseryReport>> Nursery::take_report() {
  MISRULE_TRY(std::optional<Packet> packet, receive_packet(socket_.fd()));
  if (!packet) return std::optional<NurseryReport>();
  return std::optional<NurseryReport>(read_report(*packet));
}

}  // namespace misrule::controller
