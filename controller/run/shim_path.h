#pragma once

// Where the launcher of services lies: the small static executable beside misrule.

#include <string>

#include "base/result.h"

namespace misrule::controller {

/// Beside our own executable, else in ../libexec/misrule of it.
Result<std::string> find_shim();

}  // namespace misrule::controller
