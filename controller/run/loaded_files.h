#pragma once

// Which files is a spec made of? As its syntax trees say, not its text: a load() in a string or a
// comment is none.

#include <string>
#include <vector>

#include "controller/run/run.h"

namespace misrule::controller {

struct ServicePlan;

/// The spec and what it loads, however deep, each once and as the loader names them; also of a file
/// that is wrong, and files that are not there. Recipes of ours ("@misrule/...") are none.
std::vector<std::string> files_of_spec(const std::string& file);

/// What runs for services: of each its program, and the words of its command that are files.
std::vector<ProgramFiles> program_files(const std::vector<ServicePlan>& plans);

}  // namespace misrule::controller
