#pragma once

// misrule test --watch: runs specs again when something that they are made of changes.

#include <string>
#include <vector>

#include "controller/run/run.h"

namespace misrule::cli {

/// Until a signal ends it; 130. `words` are those of the command line: every run is a process of
/// its own that begins with them, and has a nursery of its own.
int watch_specs(const controller::RunRequest& request, const std::vector<std::string>& words);

}  // namespace misrule::cli
