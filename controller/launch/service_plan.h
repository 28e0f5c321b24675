#pragma once

// What will run for each service, decided before anything starts.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "controller/launch/process_plan.h"
#include "controller/launch/project_file.h"
#include "controller/steps/steps.h"
#include "spec/model/topology.h"

namespace misrule::controller {

struct LaunchOptions {
  std::string spec_file = {};  ///< Relative paths of a service are relative to its folder.
  std::string backend = "auto";
  std::string state_folder = "/var/lib/misrule";
};

/// Told what takes long ("making a PostgreSQL 15 cluster (once)").
using Progress = std::function<void(std::string_view)>;

namespace native {
class StandIn;
}

struct ServicePlan {
  model::Service service = {};
  std::string spec_folder = {};  ///< Absolute.
  std::string state_folder = {};
  std::string user = {};
  std::string note = {};  ///< "postgres:16 -> local PostgreSQL 15.20"; empty if nothing stands in.
  std::vector<std::string> warnings = {};     ///< What misrule.toml says of it and hardly means.
  const native::StandIn* stand_in = nullptr;  ///< nullptr: `binary` runs, or the service is remote.
  std::vector<std::string> setup = {};  ///< Run once before the first test; empty: nothing is.
  std::vector<std::pair<std::string, std::string>> setup_env = {};
  StepTarget step = {};  ///< How steps and readiness probes reach it; the port is an interface's.
  /// Roles and databases that DSNs of other services name, beyond what its own env creates.
  std::vector<std::pair<std::string, std::string>> roles_and_databases = {};
};

/// Names the service and says what to do; `field` is the keyword that is to blame, where it is one.
struct PlanFailure : Error {
  std::string service = {};                       ///< Empty: no single one.
  std::optional<ProjectProblem> in_project = {};  ///< misrule.toml is to blame.
};

/// One per service, dependencies first.
std::expected<std::vector<ServicePlan>, PlanFailure> plan_services(const model::Topology& topology,
                                                                   const LaunchOptions& options);

/// What prepare_service() makes stays for as long as the descriptor lives (invalid: nothing is
/// made).
Result<UniqueFd> hold_service(const ServicePlan& plan);

/// What needs doing once, outside any world; cheap when it was done before. Safe beside other runs.
Status prepare_service(const ServicePlan& plan, const Progress& progress);

/// What a new test needs: `world_folder` (absolute, below the state folder, of this test alone)
/// gets the service's data. The process may be started again from the same plan on the same data.
Result<ProcessPlan> materialise_service(const ServicePlan& plan, const std::string& world_folder);

/// True if the service is a database, cache or broker (decides what read= and write= mean).
bool keeps_data(const model::Service& service);

}  // namespace misrule::controller
