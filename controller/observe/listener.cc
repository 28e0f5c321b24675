#include "controller/observe/listener.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

namespace misrule::controller {
namespace {

using std::chrono::milliseconds;

constexpr auto kStartWithin = std::chrono::seconds(30);
constexpr auto kOpenWithin = std::chrono::seconds(10);
constexpr auto kPause = milliseconds(20);
constexpr unsigned kGapsMax = 20;
/// A thread that nobody wakes looks again so often.
constexpr int kLookAgainMs = 1000;

bool is_final(const Error& error) {
  return error.code == Code::kInvalid || error.code == Code::kUnsupported;
}

bool is_readable(int fd) {
  pollfd watched = {.fd = fd, .events = POLLIN, .revents = 0};
  return fd >= 0 && ::poll(&watched, 1, 0) > 0;
}

}  // namespace

Listener::Listener(ListenerParts parts)
    : parts_(std::move(parts)),
      budget_(parts_.limits),
      woken_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Listener::~Listener() = default;

Status Listener::begin() {
  const Patience patience = Patience::start(kStartWithin, parts_.interrupt_fd);
  Status opened = open(patience);
  // Who is ready may still refuse for a moment.
  while (!opened && !is_final(opened.error()) && opened.error().code != Code::kCancelled &&
         SteadyClock().now() < patience.deadline && !is_readable(parts_.interrupt_fd)) {
    close();
    pause();
    opened = open(patience);
  }
  if (!opened) {
    return std::unexpected(
        std::move(opened).error().with(fmt::format("{} of {}", parts_.name, parts_.service)));
  }
  is_open_ = is_connected_ = true;
  thread_ = std::thread([this] { run(); });
  return {};
}

void Listener::end() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  ::eventfd_write(woken_.fd(), 1);
  if (thread_.joinable()) thread_.join();
}

bool Listener::is_ending() const {
  const std::scoped_lock lock(mutex_);
  return ending_ || !status_;
}

void Listener::pause() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPause, [this] { return ending_; });
}

void Listener::run() {
  while (!is_ending()) {
    Status done = {};
    if (is_open_) {
      done = serve();
    } else if (parts_.is_up()) {
      // Ending does not wait for a server that does not answer; a question asked before does.
      eventfd_t ignored = 0;
      ::eventfd_read(woken_.fd(), &ignored);
      if (is_ending()) return;
      done = open(Patience::start(kOpenWithin, woken_.fd()));
      is_open_ = done.has_value();
      const std::scoped_lock lock(mutex_);
      is_connected_ = is_open_;
    }
    if (!done) lose(done.error());
    if (!is_open_) pause();
  }
}

std::uint64_t Listener::asked() const {
  const std::scoped_lock lock(mutex_);
  return asked_;
}

/// Until the connection breaks (an error) or it is to end.
Status Listener::serve() {
  while (!is_ending()) {
    const std::uint64_t question = asked();
    MISRULE_TRY_VOID(take());
    if (question > sent_) {
      MISRULE_TRY_VOID(ask(question));
      sent_ = question;
    }
    std::array<pollfd, 2> watched = {pollfd{.fd = fd(), .events = POLLIN, .revents = 0},
                                     pollfd{.fd = woken_.fd(), .events = POLLIN, .revents = 0}};
    ::poll(watched.data(), watched.size(), kLookAgainMs);
    eventfd_t ignored = 0;
    ::eventfd_read(woken_.fd(), &ignored);
  }
  return {};
}

void Listener::lose(const Error& why) {
  close();
  sent_ = 0;
  const bool was_open = std::exchange(is_open_, false);
  {
    const std::scoped_lock lock(mutex_);
    is_connected_ = false;
    trouble_ = why.what;
    if (ending_) return;
    if (was_open) ++losses_;
    if (is_final(why)) {
      status_ =
          std::unexpected(Error(why).with(fmt::format("{} of {}", parts_.name, parts_.service)));
    }
  }
  changed_.notify_all();
  // One is enough to know that something is missing; a server may go on hanging up.
  if (!was_open || can_resume() || ++gaps_ > kGapsMax) return;
  emit_gaps("gap", fmt::format("the connection of {} was lost ({}), and what happened until there "
                               "was another is not told",
                               parts_.name, why.what));
}

void Listener::emit_gaps(const char* action, const std::string& detail) {
  for (const std::string& type : parts_.types) {
    model::Event event = {.service = parts_.service, .type = "lifecycle"};
    event.set("action", std::string(action)).set("about", type).set("detail", detail);
    parts_.sink.emit(std::move(event));
  }
}

void Listener::tell(model::Event event, std::size_t bytes) {
  switch (budget_.take_line(bytes)) {
    case OutputBudget::Answer::kRecord: {
      {
        const std::scoped_lock lock(mutex_);
        ++events_;
      }
      event.service = parts_.service;
      parts_.sink.emit(std::move(event));
      return;
    }
    case OutputBudget::Answer::kFirstBeyond:
      emit_gaps("output_cut",
                fmt::format("more than {} events or {} bytes of {}", budget_.limits().lines,
                            budget_.limits().bytes, parts_.name));
      return;
    case OutputBudget::Answer::kBeyond:
      return;
  }
}

void Listener::answered(std::uint64_t question) {
  const std::scoped_lock lock(mutex_);
  answered_ = std::max(answered_, question);
  changed_.notify_all();
}

Status Listener::barrier(TimePoint deadline) {
  const TimePoint began = SteadyClock().now();
  std::unique_lock lock(mutex_);
  const std::uint64_t question = ++asked_;
  ::eventfd_write(woken_.fd(), 1);
  while (answered_ < question) {
    if (!status_ || ending_) return status_;
    // A source that is not there says nothing, and what it said before it went has been taken.
    lock.unlock();
    const bool is_up = parts_.is_up();
    lock.lock();
    if (!is_up && !is_connected_) return status_;
    const TimePoint now = SteadyClock().now();
    if (now >= deadline) {
      return fail(Code::kTimeout,
                  fmt::format("{} of {} has not answered{}{}", parts_.name, parts_.service,
                              trouble_.empty() ? "" : ": ", trouble_));
    }
    if (is_readable(parts_.interrupt_fd)) return fail(Code::kCancelled, "interrupted");
    changed_.wait_until(lock, std::min(deadline, now + kPause));
  }
  lag_max_ns_ = std::max<std::int64_t>(
      lag_max_ns_, std::chrono::nanoseconds(SteadyClock().now() - began).count());
  return status_;
}

Status Listener::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

Status Listener::finish() {
  end();
  return status();
}

ObserverLag Listener::lag() const {
  const std::scoped_lock lock(mutex_);
  return {
      .service = parts_.service, .name = parts_.name, .events = events_, .lag_max_ns = lag_max_ns_};
}

std::string Listener::note() const {
  const std::scoped_lock lock(mutex_);
  return fmt::format(
      "{} of {}: {} event{}, told within {} ms{}", parts_.name, parts_.service, events_,
      events_ == 1 ? "" : "s", lag_max_ns_ / 1'000'000 + 1,
      losses_ == 0 ? std::string() : fmt::format(", connected {} times", losses_ + 1));
}

}  // namespace misrule::controller
