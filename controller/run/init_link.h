#pragma once

// The worker's line to PID 1 of its world: starting processes, and hearing of their ends.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "controller/run/watcher.h"
#include "controller/run/world/order.h"

namespace misrule::controller {

/// How a process ended.
struct ProcessEnd {
  int code = 0;                  ///< Its exit status,
  int signal = 0;                ///< or the signal that killed it.
  bool was_told_to_end = false;  ///< An interrupted run ends its services.
};
/// "exited with status 1", "was killed by signal 9 (Killed)".
std::string end_text(const ProcessEnd& end);

/// Thread-safe. What it calls back comes on the watcher's thread.
class InitLink {
 public:
  InitLink(UniqueFd socket, Watcher& watcher);

  using OnEnd = std::function<void(const ProcessEnd&)>;
  /// Waits until the process is forked; its pid in the world. `fds`: standard output, standard
  /// error, and the inherited one if the order has one. `on_end` may be called before this returns.
  Result<int> spawn(SpawnOrder order, std::span<const int> fds, OnEnd on_end);
  void send_signal(int pid, int signal);
  /// The world is to outlive the coordinator: it does once this has returned.
  Status keep_world();

 private:
  struct Waiting {
    OnEnd on_end = {};
    int pid = 0;
    std::string error = {};
  };

  bool take_reports();
  bool take_report();
  void note(const InitReport& report);

  UniqueFd socket_;
  std::mutex mutex_ = {};
  std::condition_variable changed_ = {};
  std::map<std::uint64_t, Waiting> spawned_ = {};  ///< By token, until it ends.
  std::uint64_t next_token_ = kFirstSpawnToken;
  bool kept_ = false;
};

}  // namespace misrule::controller
