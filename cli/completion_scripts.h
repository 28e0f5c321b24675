#pragma once

// What a shell must know to complete our command line.

#include <string>

#include "cli/outline.h"

namespace misrule::cli {

std::string bash_completion(const CommandOutline& program);
std::string zsh_completion(const CommandOutline& program);
std::string fish_completion(const CommandOutline& program);

}  // namespace misrule::cli
