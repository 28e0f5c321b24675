#pragma once

// Manual pages, as man(1) and mandoc read them.

#include <string>

#include "cli/outline.h"

namespace misrule::cli {

/// misrule(1): the commands and what they have in common.
std::string manual_of_program(const CommandOutline& program, const std::string& version);

/// misrule-COMMAND(1).
std::string manual_of_command(const CommandOutline& command, const std::string& version);

}  // namespace misrule::cli
