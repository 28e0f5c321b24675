#pragma once

// The worker's ear: one thread that waits for descriptors and timers and calls back.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace misrule::controller {

/// Everything is called back on the watcher's thread. Thread-safe but for the destructor.
class Watcher {
 public:
  /// Takes all that was there when it was called, and little more, so that nobody waits for long.
  /// False: do not watch this descriptor any more (it may be closed then).
  using OnReadable = std::function<bool()>;

  Watcher();
  ~Watcher();  ///< Ends the thread; nothing is called back afterwards.
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  void watch(int fd, OnReadable on_readable);
  void call_at(TimePoint when, std::function<void()> callback);
  void call_soon(std::function<void()> callback);

  /// Returns once everything that was readable when it was called has been called back for; false
  /// at the deadline. Not from the watcher's own thread.
  bool drain(TimePoint deadline);

 private:
  struct State;

  void run();
  void wake();

  std::unique_ptr<State> state_;
  std::thread thread_;
};

}  // namespace misrule::controller
