#pragma once

// What --set NAME=VALUE says.

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace misrule::cli {

void add_settings(CLI::App& command, std::vector<std::string>& texts);

/// In the order given; of two for one name the last counts.
Result<std::vector<std::pair<std::string, std::string>>> parse_settings(
    const std::vector<std::string>& texts);

}  // namespace misrule::cli
