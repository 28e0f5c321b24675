#pragma once

// A run with one test of every outcome, made by hand, for goldens and for the JSON schema.

#include <map>
#include <string>
#include <vector>

#include "controller/run/run.h"

namespace misrule::controller {

RunRequest sample_request();
RunResult sample_result();

/// The story of the failed test, as the coordinator hands it over.
std::vector<model::Event> sample_story();

}  // namespace misrule::controller
