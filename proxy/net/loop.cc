#include "proxy/net/loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"

namespace misrule::proxy {

// In a process with threads the C library's own functions make themselves cancellable and back in
// each call, which costs 2 % of all that the proxy does; nobody cancels threads here.
ssize_t SocketCalls::receive(int fd, char* into, std::size_t size) {
  return ::syscall(SYS_recvfrom, fd, into, size, 0, nullptr, nullptr);
}
ssize_t SocketCalls::send(int fd, const char* from, std::size_t size) {
  return ::syscall(SYS_sendto, fd, from, size, MSG_NOSIGNAL, nullptr, 0);
}
int SocketCalls::accept(int fd) {
  return ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
SocketCalls& kernel_sockets() {
  static SocketCalls calls;
  return calls;
}

/// Wakes the loop for what other threads posted.
class Loop::Doorbell final : public Watched {
 public:
  explicit Doorbell(bool& rang) : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), rang_(rang) {
    MISRULE_CHECK(fd_.valid());
  }
  int fd() const { return fd_.fd(); }
  void ring() const { ::eventfd_write(fd_.fd(), 1); }
  void on_event(std::uint32_t) override {
    eventfd_t count = 0;
    ::eventfd_read(fd_.fd(), &count);
    rang_ = true;
  }

 private:
  UniqueFd fd_;
  bool& rang_;
};

Loop::Loop(const Clock& clock, SocketCalls& calls)
    : clock_(clock),
      calls_(calls),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      doorbell_(std::make_unique<Doorbell>(rang_)) {
  MISRULE_CHECK(epoll_.valid());
  watch(doorbell_->fd(), *doorbell_);
}

Loop::~Loop() = default;

void Loop::watch(int fd, Watched& watched) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &watched}};
  MISRULE_CHECK(::epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, fd, &event) == 0);
}

void Loop::forget(const Watched& watched) { std::erase(again_, &watched); }

Loop::Timer Loop::at(TimePoint due, std::function<void()> ring) {
  const Timer timer{.due = due, .number = ++timers_made_};
  timers_.emplace(timer, std::move(ring));
  return timer;
}

void Loop::cancel(Timer& timer) { timers_.erase(std::exchange(timer, {})); }

void Loop::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(job));
  }
  doorbell_->ring();
}

void Loop::run() {
  while (!quit_) tick();
}

int Loop::wait_for(int wait_ms) const {
  if (!again_.empty() || !deferred_.empty()) return 0;
  if (timers_.empty()) return wait_ms;
  // Rounded up, so that a timer never rings early and the loop never spins for a part of 1 ms.
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first.due - now());
  const auto bounded = std::clamp<std::int64_t>(left.count(), 0, 3'600'000);
  return wait_ms < 0 ? static_cast<int>(bounded)
                     : static_cast<int>(std::min<std::int64_t>(bounded, wait_ms));
}

void Loop::tick(int wait_ms) {
  std::array<epoll_event, 256> events;
  const int count =
      ::epoll_wait(epoll_.fd(), events.data(), static_cast<int>(events.size()), wait_for(wait_ms));
  MISRULE_CHECK(count >= 0 || errno == EINTR);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<Watched*>(event.data.ptr)->on_event(event.events);
  }
  if (!timers_.empty()) ring_due();
  for (Watched* watched : std::exchange(again_, {})) watched->on_event(EPOLLIN);
  if (rang_) run_posted();
  run_deferred();
  graveyard_.clear();
}

void Loop::ring_due() {
  const TimePoint until = now();
  while (!timers_.empty() && timers_.begin()->first.due <= until) {
    auto node = timers_.extract(timers_.begin());
    node.mapped()();
  }
}

void Loop::run_posted() {
  rang_ = false;
  std::vector<std::function<void()>> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(posted_);
  }
  for (const auto& job : jobs) job();
}

void Loop::run_deferred() {
  // What runs may defer more; all of it runs in this tick, before anything is destroyed.
  for (std::size_t i = 0; i < deferred_.size(); ++i) {
    const std::coroutine_handle<> handle = deferred_[i];
    handle.resume();
  }
  deferred_.clear();
}

}  // namespace misrule::proxy
