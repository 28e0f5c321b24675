#pragma once

// A service's data before the test: an SQL file. (A stand-in has its seed baked into its cached
// cluster.)

#include <string>
#include <string_view>

#include "base/result.h"
#include "controller/launch/service_plan.h"

namespace misrule::controller {

/// Runs the whole file past every proxy; `keyword` ("seed", "reset") asked for it. Bounded;
/// `interrupt_fd` ends it early.
Status run_sql_seed(const ServicePlan& plan, std::string_view keyword, const std::string& sql_file,
                    int interrupt_fd);

}  // namespace misrule::controller
