#pragma once

// `misrule init`: which files begin a project, and writing them.

#include <string>
#include <vector>

#include "base/result.h"
#include "controller/starter/project.h"

namespace misrule::controller {

struct StarterRequest {
  std::string folder = ".";
  std::string compose_file = {};  ///< Empty: our sample.
  bool force = false;             ///< Files that exist are written over.
};

struct StarterResult {
  std::vector<std::string> written = {};  ///< Paths, as people write them.
  std::vector<StarterRemark> remarks = {};
};

/// Writes all of the files, or none when one of them exists.
Result<StarterResult> write_starter(const StarterRequest& request);

}  // namespace misrule::controller
