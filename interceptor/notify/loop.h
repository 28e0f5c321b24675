#pragma once

// The supervisor's one thread: every listener, one timer, commands from other threads.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "interceptor/notify/attach.h"
#include "interceptor/notify/calls.h"
#include "interceptor/notify/served.h"

namespace misrule::interceptor {

/// A launch whose shim has not handed over yet, or not executed the program.
struct Attaching {
  UniqueFd socket = {};
  UniqueFd pipe = {};
  FilterScope scope = {};
  std::shared_ptr<ServedService> service = {};
  std::shared_ptr<AttachResult> result = {};
};

class Loop {
 public:
  explicit Loop(const Options& options);

  /// Before run(): the descriptors it needs.
  Status open();
  /// Serves until quit() was asked for, then lets every held call go on.
  void run();

  /// From any thread: `command` runs on the loop's thread, soon.
  void post(std::function<void()> command);

  // On the loop's thread only, from here on.
  void quit() { running_ = false; }
  Status attach(Attaching launch);
  /// kInvalid, changing nothing, if a rule wants what a running service's filter does not see.
  Status set_rules(std::vector<CompiledRule> rules);
  Calls& calls() { return calls_; }

 private:
  Status watch(int fd, std::uint64_t tag);
  void dispatch(std::uint64_t tag, std::uint32_t events);
  void run_commands();
  void serve(std::uint32_t key, std::uint32_t events);
  void shim_speaks(std::uint32_t key);
  void shim_executed(std::uint32_t key);
  void start_serving(std::uint32_t key, Attaching& launch, Handover handover);
  void release(std::vector<HeldCall> calls);
  void release_vanished();
  void arm_timer();
  void end_all();

  SteadyClock clock_ = {};
  Calls calls_;
  UniqueFd epoll_ = {};
  UniqueFd timer_ = {};
  UniqueFd wake_ = {};
  bool running_ = true;
  std::uint32_t next_key_ = 1;
  TimePoint timer_armed_for_ = {};
  std::map<std::uint32_t, Attaching> attaching_ = {};
  std::map<std::uint32_t, std::unique_ptr<Served>> served_ = {};

  std::mutex mutex_ = {};
  std::vector<std::function<void()>> commands_ = {};  // Guarded by mutex_.
};

}  // namespace misrule::interceptor
