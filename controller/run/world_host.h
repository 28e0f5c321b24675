#pragma once

// What a running test can do to its world: steps through the proxies, rules, events.

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "controller/events/event_log.h"
#include "controller/run/activities.h"
#include "controller/run/armed_rules.h"
#include "controller/run/observers.h"
#include "controller/run/routes.h"
#include "controller/run/services.h"
#include "controller/run/watcher.h"
#include "spec/dsl/host.h"

namespace misrule::controller {

/// Thread-safe, as dsl::TestHost says.
class WorldHost final : public dsl::TestHost {
 public:
  struct Parts {
    EventLog& log;
    proxy::Proxy& proxy;
    const Routes& routes;
    ArmedRules& rules;
    Services& services;
    Watcher& watcher;
    Observers& observers;
    Activities& activities;
    int interrupt_fd = -1;      ///< Readable: steps end at once.
    std::string trace_id = {};  ///< Of the context that HTTP steps hand on; empty: none.
    std::uint64_t seed = 1;
    std::string log_folder = {};  ///< Of the test, where the run keeps its results.
  };
  explicit WorldHost(const Parts& parts) : parts_(parts) {}

  dsl::StepReply step(const dsl::StepCall& call) override;
  Result<dsl::ArmId> arm(std::vector<model::Rule> rules) override;
  Status disarm(dsl::ArmId armed) override;
  Result<std::size_t> release(const std::string& label) override;
  std::vector<dsl::EventPtr> events() override;
  bool wait_for_event(std::size_t seen, TimePoint deadline) override;
  Status barrier(Duration at_most) override;
  void tell(model::Event event) override { parts_.log.emit(std::move(event)); }
  Result<std::string> attach(const std::string& name, const std::string& bytes) override;
  void pause(TimePoint until) override;
  std::uint64_t seed() const override { return parts_.seed; }
  const Clock& clock() const override { return clock_; }

  /// What attach() kept so far.
  std::vector<model::Attachment> attachments();
  /// A liveness assertion is waiting.
  bool is_awaiting_event() const { return awaiting_ > 0; }

 private:
  Status settle_services();
  dsl::StepCall traced(const dsl::StepCall& call);
  std::uint64_t emit_send(const dsl::StepCall& call);
  void emit_reply(const dsl::StepCall& call, const dsl::StepReply& reply, std::uint64_t sent);
  dsl::StepReply send_step(const ServicePlan& plan, const dsl::StepCall& call);

  Parts parts_;
  SteadyClock clock_ = {};
  std::atomic<bool> ever_armed_ = false;
  std::atomic<int> awaiting_ = 0;
  std::atomic<std::uint64_t> traced_ = 0;
  std::mutex attaching_ = {};
  std::set<std::string> attached_ = {};  ///< Names of files.
  std::vector<model::Attachment> attachments_ = {};
  std::size_t attached_bytes_ = 0;
};

}  // namespace misrule::controller
