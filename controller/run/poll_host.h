#pragma once

// What a function that has no part in the test (poll(), reset=) can do to the world: ask it, past
// proxies and rules, unrecorded.

#include "base/unique_fd.h"
#include "controller/run/services.h"
#include "spec/dsl/host.h"

namespace misrule::controller {

class PollHost : public dsl::TestHost {
 public:
  explicit PollHost(const Services& services);

  /// Steps that are under way end, and no other begins.
  void stop();

  dsl::StepReply step(const dsl::StepCall& call) override;

  // Such a function has none of these: the vocabulary refuses the words for them.
  Result<dsl::ArmId> arm(std::vector<model::Rule> rules) override;
  Status disarm(dsl::ArmId armed) override;
  Result<std::size_t> release(const std::string& label) override;
  std::vector<dsl::EventPtr> events() override { return {}; }
  bool wait_for_event(std::size_t, TimePoint) override { return false; }
  Status barrier(Duration) override;
  void tell(model::Event) override {}
  Result<std::string> attach(const std::string& name, const std::string& bytes) override;
  void pause(TimePoint) override {}
  std::uint64_t seed() const override { return 0; }
  const Clock& clock() const override { return clock_; }

 protected:
  dsl::StepReply ask(const dsl::StepCall& call, int interrupt_fd) const;

 private:
  const Services& services_;
  UniqueFd stopped_;
  SteadyClock clock_ = {};
};

/// Steps of a reset: one that fails is the reset's failure, whatever the function makes of it.
class ResetHost final : public PollHost {
 public:
  ResetHost(const Services& services, int interrupt_fd)
      : PollHost(services), interrupt_fd_(interrupt_fd) {}

  dsl::StepReply step(const dsl::StepCall& call) override;
  /// Of the steps so far.
  const Status& outcome() const { return outcome_; }

 private:
  int interrupt_fd_;
  Status outcome_ = {};
};

}  // namespace misrule::controller
