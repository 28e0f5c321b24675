#pragma once

// A TestHost that records what it is asked and answers from a script; its clock stands still until
// somebody waits.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "spec/dsl/host.h"

namespace misrule::dsl {

class RecordingHost final : public TestHost {
 public:
  // What to answer.
  std::function<StepReply(const StepCall&)> on_step = [](const StepCall&) {
    return StepReply{.ok = true, .status = 200, .body = "ok", .took = std::chrono::milliseconds(7)};
  };
  std::function<Status(const std::vector<model::Rule>&)> on_arm = {};
  std::function<void()> on_wait = [] {};
  std::uint64_t run_seed = 1;
  Status disarm_status = {};
  Result<std::size_t> release_result = 1;
  Result<std::string> attach_result = std::string();
  Status barrier_status = {};
  std::function<void()> on_barrier = [] {};

  // What was asked: "POST /orders -> api.public", "arm a, b", "disarm 1", "barrier".
  std::vector<std::string> log();
  std::vector<StepCall> steps;
  std::vector<std::pair<std::string, std::string>> attached;
  std::vector<std::vector<model::Rule>> armed;

  /// Happens at once, or when somebody has waited that long.
  void happen(model::Event event);
  void happen_after(Duration delay, model::Event event);

  StepReply step(const StepCall& call) override;
  Result<ArmId> arm(std::vector<model::Rule> rules) override;
  Status disarm(ArmId armed) override;
  Result<std::size_t> release(const std::string& label) override;
  std::vector<EventPtr> events() override;
  bool wait_for_event(std::size_t seen, TimePoint deadline) override;
  Status barrier(Duration at_most) override;
  void tell(model::Event event) override { happen(std::move(event)); }
  Result<std::string> attach(const std::string& name, const std::string& bytes) override {
    attached.emplace_back(name, bytes);
    return attach_result ? Result<std::string>(name) : attach_result;
  }
  void pause(TimePoint until) override;
  std::uint64_t seed() const override { return run_seed; }
  const Clock& clock() const override { return clock_; }

 private:
  void note(std::string line);

  std::mutex mutex_;
  ManualClock clock_;
  std::vector<std::string> log_;
  std::vector<EventPtr> events_;
  std::deque<std::pair<TimePoint, model::Event>> pending_;
};

}  // namespace misrule::dsl
