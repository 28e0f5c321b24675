#pragma once

// Which command repeats one test of a run.

#include <string>
#include <string_view>

#include "controller/run/run.h"

namespace misrule::controller {

/// One argument as a POSIX shell must be given it; plain words stay as they are.
std::string shell_quoted(std::string_view argument);

/// A line for a shell in the directory of the run. `program` is what the user typed to start it.
std::string again_command(std::string_view program, const RunRequest& request,
                          const RunPlan::Test& test, std::uint64_t seed);

/// The same for a spec that cannot be loaded: what is wrong with it is known without a run.
std::string check_command(std::string_view program, const RunRequest& request,
                          std::string_view file);

}  // namespace misrule::controller
