#pragma once

// From spec files to a run that can begin: loading, selection, what will run for the services.

#include <vector>

#include "base/result.h"
#include "controller/run/coordinator.h"
#include "controller/run/run.h"
#include "controller/run/worker.h"

namespace misrule::controller {

struct LoadedRun {
  std::vector<LoadedSpec> specs = {};
  std::vector<SelectedTest> tests = {};
  std::vector<SpecProblem> problems = {};
  std::vector<std::string> stand_ins = {};
  std::vector<std::string> notes = {};
  /// Of a spec that is right and cannot run on this machine: a server is missing.
  std::vector<SpecProblem> obstacles = {};
};

/// How a single spec is loaded: with the rules' legality as proxy and interceptor see it.
std::expected<std::unique_ptr<dsl::Spec>, std::vector<dsl::Problem>> load_spec(
    const std::string& file, const std::vector<std::pair<std::string, std::string>>& set,
    const PrintTarget& print = {});

LoadedRun load_run(const RunRequest& request);

}  // namespace misrule::controller
