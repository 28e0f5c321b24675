#pragma once

// What a function that is polled can do to the world: ask it, past proxies and rules, unrecorded.

#include "base/unique_fd.h"
#include "controller/run/services.h"
#include "spec/dsl/host.h"

namespace misrule::controller {

class PollHost final : public dsl::TestHost {
 public:
  explicit PollHost(const Services& services);

  /// Steps that are under way end, and no other begins.
  void stop();

  dsl::StepReply step(const dsl::StepCall& call) override;

  // A function that is polled has none of these: the vocabulary refuses the words for them.
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

 private:
  const Services& services_;
  UniqueFd stopped_;
  SteadyClock clock_ = {};
};

}  // namespace misrule::controller
