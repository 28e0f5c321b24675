#pragma once

// A project as a spec, and as the project file that says what stands in for its images.

#include <string>

#include "controller/starter/project.h"

namespace misrule::controller {

/// Gives every service its variable, and puts them into an order in which they can be declared.
void prepare_for_spec(StarterProject& project);

std::string starter_spec(const StarterProject& project);

/// misrule.toml; empty if nothing needs a command of its own.
std::string starter_project_file(const StarterProject& project);

}  // namespace misrule::controller
