#include "controller/run/watcher.h"

#include <algorithm>
#include <condition_variable>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>

namespace misrule::controller {

struct Watcher::State {
  struct Timer {
    TimePoint when = {};
    std::function<void()> callback = {};
  };

  std::mutex mutex;
  std::condition_variable passed;
  std::map<int, OnReadable> watched;
  std::vector<Timer> timers;
  std::vector<std::function<void()>> soon;
  UniqueFd wake_up;
  bool ending = false;
  std::uint64_t turns = 0;  ///< Each calls back for all that was readable at its beginning.
  bool drain_asked = false;

  std::vector<pollfd> descriptors();
  int wait_ms();
  std::vector<std::function<void()>> take_due();
  void call_readable(const std::vector<pollfd>& ready);
};

std::vector<pollfd> Watcher::State::descriptors() {
  const std::scoped_lock lock(mutex);
  std::vector<pollfd> list = {{.fd = wake_up.fd(), .events = POLLIN, .revents = 0}};
  for (const auto& [fd, callback] : watched) {
    list.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  }
  return list;
}

int Watcher::State::wait_ms() {
  const std::scoped_lock lock(mutex);
  if (ending || drain_asked || !soon.empty()) return 0;
  if (timers.empty()) return -1;
  const TimePoint next = std::ranges::min(timers, {}, &Timer::when).when;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - SteadyClock().now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

std::vector<std::function<void()>> Watcher::State::take_due() {
  const std::scoped_lock lock(mutex);
  std::vector<std::function<void()>> due = std::exchange(soon, {});
  const TimePoint now = SteadyClock().now();
  for (auto timer = timers.begin(); timer != timers.end();) {
    if (timer->when > now) {
      ++timer;
      continue;
    }
    due.push_back(std::move(timer->callback));
    timer = timers.erase(timer);
  }
  return due;
}

void Watcher::State::call_readable(const std::vector<pollfd>& ready) {
  for (const pollfd& descriptor : ready) {
    if (descriptor.revents == 0) continue;
    if (descriptor.fd == wake_up.fd()) {
      eventfd_t count = 0;
      ::eventfd_read(wake_up.fd(), &count);
      continue;
    }
    OnReadable callback;
    {
      const std::scoped_lock lock(mutex);
      const auto found = watched.find(descriptor.fd);
      if (found == watched.end()) continue;
      // Out of the map while it runs: a callback may watch again under the same number.
      callback = std::move(found->second);
      watched.erase(found);
    }
    if (!callback()) continue;
    const std::scoped_lock lock(mutex);
    watched.try_emplace(descriptor.fd, std::move(callback));
  }
}

Watcher::Watcher() : state_(std::make_unique<State>()) {
  state_->wake_up.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  thread_ = std::thread([this] { run(); });
}

Watcher::~Watcher() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->ending = true;
  }
  wake();
  thread_.join();
}

void Watcher::wake() { ::eventfd_write(state_->wake_up.fd(), 1); }

void Watcher::watch(int fd, OnReadable on_readable) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->watched[fd] = std::move(on_readable);
  }
  wake();
}

void Watcher::call_at(TimePoint when, std::function<void()> callback) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->timers.push_back({.when = when, .callback = std::move(callback)});
  }
  wake();
}

void Watcher::call_soon(std::function<void()> callback) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->soon.push_back(std::move(callback));
  }
  wake();
}

bool Watcher::drain(TimePoint deadline) {
  std::unique_lock lock(state_->mutex);
  // The turn under way may have polled before what we wait for arrived: the one after it counts.
  const std::uint64_t wanted = state_->turns + 2;
  state_->drain_asked = true;
  wake();
  const bool done = state_->passed.wait_until(
      lock, deadline, [&] { return state_->turns >= wanted || state_->ending; });
  state_->drain_asked = false;
  return done;
}

void Watcher::run() {
  while (true) {
    std::vector<pollfd> list = state_->descriptors();
    ::poll(list.data(), list.size(), state_->wait_ms());
    state_->call_readable(list);
    for (const auto& callback : state_->take_due()) callback();
    const std::scoped_lock lock(state_->mutex);
    if (state_->ending) return;
    ++state_->turns;
    state_->passed.notify_all();
  }
}

}  // namespace misrule::controller
