#pragma once

// Which files a spec is made of, and what it runs: `--watch` runs it again when one of them
// changes.

#include <string>
#include <vector>

#include "controller/run/run.h"

namespace misrule::controller {

struct WatchedSpec {
  std::string file = {};                  ///< As the request names it.
  std::vector<std::string> paths = {};    ///< Files that there are or may come to be; absolute.
  std::vector<std::string> folders = {};  ///< All that lies below them.
};

/// Loads each spec. Of one that cannot be loaded only what is known without that is named.
std::vector<WatchedSpec> watched_specs(const RunRequest& request);

}  // namespace misrule::controller
