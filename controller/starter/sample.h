#pragma once

// Two small services for whoever has none yet, and the workflow that runs a spec in CI.

#include <string_view>

#include "controller/starter/project.h"

namespace misrule::controller {

/// A shop that asks a warehouse, both over HTTP.
StarterProject sample_project();

std::string_view sample_shop();
std::string_view sample_warehouse();
std::string_view ci_workflow();

}  // namespace misrule::controller
