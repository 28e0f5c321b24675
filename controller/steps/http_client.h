#pragma once

// One HTTP/1.1 request and its reply, on a connection of its own.

#include "controller/steps/steps.h"
#include "controller/steps/waiting.h"

namespace misrule::controller {

/// Fills in everything but `took`.
dsl::StepReply run_http(const dsl::HttpStep& step, const StepTarget& target,
                        const Patience& patience);

}  // namespace misrule::controller
