#pragma once

// One process, as PID 1 of a world starts it.

#include <string>
#include <utility>
#include <vector>

namespace misrule::controller {

struct ProcessPlan {
  std::vector<std::string> argv = {};  ///< The program first: an absolute path.
  std::vector<std::pair<std::string, std::string>> env = {};  ///< All of it; nothing is inherited.
  std::string cwd = {};
  std::string user = {};  ///< A name or a number; empty: root.
};

}  // namespace misrule::controller
