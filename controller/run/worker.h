#pragma once

// The worker of a world: hosts one test from the first service to the verdict.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "controller/events/event_log.h"
#include "controller/launch/service_plan.h"
#include "controller/run/run.h"
#include "controller/run/world/pid_one.h"
#include "spec/dsl/spec.h"
#include "spec/model/rules.pb.h"

namespace misrule::controller {

/// Where the lines go that a spec print()s; standard error until somebody says otherwise.
using PrintTarget = std::shared_ptr<std::function<void(std::string_view)>>;

/// One spec file, loaded, with what will run for its services.
struct LoadedSpec {
  std::string file = {};  ///< As given.
  std::unique_ptr<dsl::Spec> spec = {};
  std::vector<ServicePlan> plans = {};
  PrintTarget print = {};
};

/// What is the same for every test of a run. Made before the nursery is forked.
struct RunContext {
  RunRequest request = {};
  std::vector<LoadedSpec> specs = {};
  model::RuleFile rules = {};  ///< Of --rules; else without tests.
  SharedLog shared_log;
  std::string directory = {};  ///< Where misrule was called.
  std::string shim_path = {};
  std::string authority_folder = {};  ///< Of certificates made on the fly; empty: none are.
};

/// What a worker is to run.
struct WorkerOrder {
  std::size_t spec = 0;  ///< In RunContext::specs.
  std::string test = {};
  bool is_control = false;  ///< `test` names a control, not a test.
  std::string log_folder = {};
  std::int64_t start_ns = 0;  ///< The test's beginning, CLOCK_MONOTONIC.
  bool keep = false;
};
std::string order_to_payload(const WorkerOrder& order);
Result<WorkerOrder> order_from_payload(const std::string& text);

/// Lines from the worker to the coordinator: {"phase": …, "events": n} and at last {"report": {…}}.
/// From the coordinator: any line means "stop, the run is interrupted".
int run_worker(const RunContext& context, WorkerSeat seat);

}  // namespace misrule::controller
