#pragma once

// A service's data before the test: an SQL file for a server that is no stand-in (those have it
// baked into their cached cluster).

#include "base/result.h"
#include "controller/launch/service_plan.h"

namespace misrule::controller {

/// Runs the whole file past every proxy. Bounded; `interrupt_fd` ends it early.
Status run_sql_seed(const ServicePlan& plan, const std::string& sql_file, int interrupt_fd);

}  // namespace misrule::controller
