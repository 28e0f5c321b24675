#pragma once

// What needs doing once before tests can run (a database cluster is made), without losing sight of
// Ctrl-C: a child does it, and ends with us.

#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "controller/launch/service_plan.h"

namespace misrule::controller {

/// What was made stays for as long as the descriptors live. kCancelled when `interrupt_fd` became
/// readable, kInvalid for what the spec got wrong. Call it while the process is single-threaded.
Result<std::vector<UniqueFd>> prepare_services(const std::vector<ServicePlan>& plans,
                                               int interrupt_fd, const Progress& progress);

}  // namespace misrule::controller
