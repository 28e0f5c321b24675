#pragma once

// One SQL text and its result, on a connection of its own.

#include "controller/steps/steps.h"
#include "controller/steps/waiting.h"

namespace misrule::controller {

/// Fills in everything but `took`. Several statements in one text are one transaction; the reply is
/// that of the last. `target` says as whom; the step's own user and database win.
dsl::StepReply run_sql(const dsl::SqlStep& step, const StepTarget& target,
                       const Patience& patience);

}  // namespace misrule::controller
