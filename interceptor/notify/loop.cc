#include "interceptor/notify/loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/check.h"

namespace misrule::interceptor {
namespace {

// What a descriptor in epoll is: kind in the upper half, key in the lower.
enum class Tag : std::uint32_t { kWake, kTimer, kListener, kShim, kPipe };

constexpr int kNice = -10;

std::uint64_t tag_of(Tag tag, std::uint32_t key) {
  return (static_cast<std::uint64_t>(tag) << 32U) | key;
}

void drain(int fd) {
  std::uint64_t count = 0;
  (void)!read(fd, &count, sizeof(count));
}

timespec to_timespec(TimePoint at) {
  const auto ns = at.time_since_epoch().count();
  return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
}

bool sees(const FilterScope& scope, const CompiledRule& rule) {
  if (rule.family != Family::kConnect &&
      !scope.families.contains(std::string(family_name(rule.family)))) {
    return false;
  }
  return rule.fd_kind != "socket" || scope.sockets;
}

}  // namespace

Loop::Loop(const Options& options) : calls_(options, clock_) {}

Status Loop::open() {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  wake_.reset(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!epoll_.valid() || !timer_.valid() || !wake_.valid()) {
    return std::unexpected(errno_error("the supervisor's descriptors", errno));
  }
  MISRULE_TRY_VOID(watch(timer_.fd(), tag_of(Tag::kTimer, 0)));
  return watch(wake_.fd(), tag_of(Tag::kWake, 0));
}

Status Loop::watch(int fd, std::uint64_t tag) {
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = tag}};
  if (epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return std::unexpected(errno_error("epoll_ctl", errno));
  }
  return {};
}

void Loop::post(std::function<void()> command) {
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
  }
  const std::uint64_t one = 1;
  (void)!write(wake_.fd(), &one, sizeof(one));
}

void Loop::run() {
  // A signal that reaches a program before its call was received interrupts the call: the sooner it
  // is received, the rarer. Without the privilege it is as it is.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  std::array<epoll_event, 64> events = {};
  while (running_) {
    const int count = epoll_wait(epoll_.fd(), events.data(), static_cast<int>(events.size()), -1);
    MISRULE_CHECK(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      dispatch(event.data.u64, event.events);
    }
    arm_timer();
  }
  end_all();
}

void Loop::dispatch(std::uint64_t tag, std::uint32_t events) {
  const auto key = static_cast<std::uint32_t>(tag);
  switch (static_cast<Tag>(tag >> 32U)) {
    case Tag::kWake:
      return run_commands();
    case Tag::kTimer:
      drain(timer_.fd());
      return release(calls_.held().take_due(clock_.now()));
    case Tag::kListener:
      return serve(key, events);
    case Tag::kShim:
      return shim_speaks(key);
    case Tag::kPipe:
      return shim_executed(key);
  }
}

void Loop::run_commands() {
  drain(wake_.fd());
  std::vector<std::function<void()>> commands;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
  }
  for (const auto& command : commands) command();
}

void Loop::serve(std::uint32_t key, std::uint32_t events) {
  const auto found = served_.find(key);
  if (found == served_.end()) return;
  Served& served = *found->second;
  if ((events & EPOLLIN) != 0) {
    // A call whose thread was killed meanwhile is no reason to end anything.
    Notification call;
    if (served.listener.receive(call)) {
      calls_.handle(served, call);
    } else {
      ++calls_.counters().gone;
    }
    return;
  }
  // An EPOLLERR alone means that poll was interrupted, and says nothing about the calls.
  if ((events & EPOLLHUP) == 0) return;
  // Nobody is left who uses the filter: the whole process tree is gone.
  calls_.held().drop(served.id);
  served_.erase(found);
}

void Loop::release(std::vector<HeldCall> calls) {
  for (HeldCall& call : calls) {
    const auto found = served_.find(static_cast<std::uint32_t>(call.listener));
    if (found != served_.end()) calls_.go_on(*found->second, std::move(call));
  }
}

void Loop::arm_timer() {
  const TimePoint due = calls_.held().next_due().value_or(TimePoint{});
  if (due == timer_armed_for_) return;
  timer_armed_for_ = due;
  // Zero disarms. A time that has passed already fires at once.
  const itimerspec when = {.it_interval = {}, .it_value = to_timespec(due)};
  timerfd_settime(timer_.fd(), TFD_TIMER_ABSTIME, &when, nullptr);
}

Status Loop::attach(Attaching launch) {
  const std::uint32_t key = next_key_++;
  MISRULE_TRY_VOID(watch(launch.socket.fd(), tag_of(Tag::kShim, key)));
  attaching_.emplace(key, std::move(launch));
  return {};
}

void Loop::shim_speaks(std::uint32_t key) {
  const auto found = attaching_.find(key);
  if (found == attaching_.end()) return;
  Attaching& launch = found->second;
  auto handover = receive_handover(launch.socket.fd());
  if (!handover) {
    launch.result->tell(std::unexpected(std::move(handover).error()));
    attaching_.erase(found);
    return;
  }
  start_serving(key, launch, *std::move(handover));
}

void Loop::start_serving(std::uint32_t key, Attaching& launch, Handover handover) {
  auto served = std::make_unique<Served>(Served{.id = static_cast<ListenerId>(key),
                                                .listener = Listener(std::move(handover.listener)),
                                                .scope = launch.scope,
                                                .service = launch.service});
  served->listener.enable_sync_wake_up();  // Slower without it, and as right.
  Status watched = watch(served->listener.fd(), tag_of(Tag::kListener, key));
  if (watched) watched = watch(handover.pipe.fd(), tag_of(Tag::kPipe, key));
  if (!watched) {
    launch.result->tell(std::move(watched));
    attaching_.erase(key);
    return;
  }
  served_.emplace(key, std::move(served));
  epoll_ctl(epoll_.fd(), EPOLL_CTL_DEL, launch.socket.fd(), nullptr);
  launch.pipe = std::move(handover.pipe);
  send_go(launch.socket.fd());
}

void Loop::shim_executed(std::uint32_t key) {
  const auto found = attaching_.find(key);
  if (found == attaching_.end()) return;
  found->second.result->tell(read_exec_result(found->second.pipe.fd()));
  attaching_.erase(found);
}

Status Loop::set_rules(std::vector<CompiledRule> rules) {
  for (const CompiledRule& rule : rules) {
    for (const auto& [key, served] : served_) {
      if (served->service->id != rule.target || sees(served->scope, rule)) continue;
      const std::string_view family = family_name(rule.family);
      const std::string_view missing = rule.fd_kind != "socket"       ? family
                                       : rule.family == Family::kRead ? "recv"
                                                                      : "send";
      return fail(
          Code::kInvalid,
          fmt::format("rule {}: {} was started with a filter that does not see {}; "
                      "service(\"{}\", intercept=[\"{}\"]) makes it",
                      rule.id, served->service->name, family, served->service->name, missing));
    }
  }
  calls_.decider().replace(std::move(rules));
  release_vanished();
  return {};
}

void Loop::release_vanished() {
  auto gone = calls_.held().take_unless(
      [&](const std::string& rule) { return calls_.decider().is_armed(rule); });
  std::map<std::pair<std::string, std::string>, std::size_t> counts;
  for (const HeldCall& call : gone) {
    const auto found = served_.find(static_cast<std::uint32_t>(call.listener));
    if (found != served_.end()) ++counts[{found->second->service->name, call.rule}];
  }
  for (const auto& [of, count] : counts) {
    calls_.emit_released(of.first, of.second,
                         fmt::format("the rule ended: {} held call(s) go on", count));
  }
  release(std::move(gone));
}

void Loop::end_all() {
  release(calls_.held().take_all());
  for (auto& [key, launch] : attaching_) {
    launch.result->tell(fail(Code::kCancelled, "the supervisor stops"));
  }
  attaching_.clear();
  served_.clear();
  run_commands();
}

}  // namespace misrule::interceptor
