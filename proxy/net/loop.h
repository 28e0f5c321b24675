#pragma once

// One thread's event loop: edge-triggered epoll, every descriptor registered once, coroutines on
// top.
//
// Steady state per message is one recv, one send and a share of one epoll_wait. A tick runs, in
// this order: events, due timers, what asked for another turn, what was deferred or posted, the
// graveyard. So nothing that an event of this tick can still point to is destroyed before the
// tick's end. Only post() may be called from another thread.

#include <coroutine>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "proxy/net/buffer_pool.h"
#include "proxy/net/socket_calls.h"

namespace misrule::proxy {

/// Something with a descriptor in the loop.
class Watched {
 public:
  virtual void on_event(std::uint32_t events) = 0;

 protected:
  ~Watched() = default;
};

class Loop {
 public:
  struct Timer {
    TimePoint due = {};
    std::uint64_t number = 0;  ///< 0: none.
    auto operator<=>(const Timer&) const = default;
  };

  Loop(const Clock& clock, SocketCalls& calls);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Both directions, once per descriptor, never modified. Closing the descriptor ends it.
  void watch(int fd, Watched& watched);
  /// Gives `watched` an EPOLLIN after the events of the tick that is under way.
  void again(Watched& watched) { again_.push_back(&watched); }
  /// To be called by whatever watched before it dies.
  void forget(const Watched& watched);

  Timer at(TimePoint due, std::function<void()> ring);
  /// Nothing if it rang already or never was.
  void cancel(Timer& timer);

  /// Resumes later in this tick, off the caller's stack.
  void defer(std::coroutine_handle<> handle) { deferred_.push_back(handle); }
  /// Runs in the loop's thread. Thread-safe.
  void post(std::function<void()> job);
  /// Destroys at the end of the tick.
  void bury(std::shared_ptr<void> dead) { graveyard_.push_back(std::move(dead)); }

  /// Until quit(), which takes effect at the end of its tick.
  void run();
  void quit() { quit_ = true; }
  /// One round; waits for at most `wait_ms` (-1: as long as there is nothing to do).
  void tick(int wait_ms = -1);

  TimePoint now() const { return clock_.now(); }
  BufferPool& buffers() { return buffers_; }
  SocketCalls& calls() { return calls_; }

 private:
  class Doorbell;
  int wait_for(int wait_ms) const;
  void ring_due();
  void run_posted();
  void run_deferred();

  const Clock& clock_;
  SocketCalls& calls_;
  UniqueFd epoll_;
  std::unique_ptr<Doorbell> doorbell_;
  std::map<Timer, std::function<void()>> timers_;
  std::uint64_t timers_made_ = 0;
  std::vector<Watched*> again_;
  std::vector<std::coroutine_handle<>> deferred_;
  std::vector<std::shared_ptr<void>> graveyard_;
  BufferPool buffers_;
  bool quit_ = false;
  bool rang_ = false;

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace misrule::proxy
