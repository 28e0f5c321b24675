#pragma once

// What a compose file says of a system.

#include <string>

#include "base/result.h"
#include "controller/starter/project.h"

namespace misrule::controller {

/// What is not understood is a remark with its line. `spec_folder`: paths in the result are
/// relative to it.
Result<StarterProject> read_compose(const std::string& file, const std::string& spec_folder);

}  // namespace misrule::controller
