#pragma once

// May this process make worlds? And if not, what exactly is missing.

#include "base/result.h"

namespace misrule::controller {

/// kUnsupported: names the missing privilege and what to do.
Status check_privileges();

}  // namespace misrule::controller
