#pragma once

// The lock that makes one OS thread at a time run spec code.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace misrule::star {

/// First come, first served; nests on one OS thread.
class InterpreterLock {
 public:
  void acquire();
  void release();
  /// Gives all of its nesting up; the depth goes to reacquire().
  unsigned release_fully();
  void reacquire(unsigned depth);
  bool is_mine() const;
  bool is_wanted() const { return waiters_.load(std::memory_order_relaxed) > 0; }

 private:
  void take(unsigned depth);

  std::mutex mutex_;
  std::condition_variable turn_;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t now_serving_ = 0;
  std::atomic<std::thread::id> owner_ = {};
  unsigned depth_ = 0;
  std::atomic<unsigned> waiters_ = 0;
};

}  // namespace misrule::star
