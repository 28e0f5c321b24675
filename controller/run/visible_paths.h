#pragma once

// What a world's processes must find where it lies, although /tmp, /run and /dev/shm are their own.

#include <string>
#include <vector>

#include "controller/run/worker.h"

namespace misrule::controller {

/// Absolute and free of links: the project, the run's folder, the state directory, what services
/// run.
std::vector<std::string> visible_paths(const LoadedSpec& spec, const std::string& run_folder,
                                       const std::string& shim_path);

}  // namespace misrule::controller
