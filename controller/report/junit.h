#pragma once

// A run as JUnit XML, which CI systems read: one suite per spec, one case per test. Its shape is
// docs/junit.xsd.
//
// passed: a bare case; failed, invalid, inconclusive: <failure>; error, interrupted: <error>;
// skipped, not exercised, no oracle, not begun: <skipped>. `type` has the verdict's own name.

#include <string>
#include <string_view>

#include "controller/run/run.h"

namespace misrule::controller {

std::string run_to_junit(const RunResult& result, const RunRequest& request,
                         std::string_view program);

}  // namespace misrule::controller
