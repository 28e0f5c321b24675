#pragma once

// Which file execve() is to run: found before the filter exists, so that a missing program is
// named.

#include <string>

namespace misrule::interceptor {

struct ProgramPath {
  std::string path = {};   ///< Empty: not found, and `error` says why.
  std::string error = {};  ///< "exec ./api: No such file or directory"
};

/// A name with a slash is a path; any other is looked for on PATH, as the current user.
ProgramPath find_program(const std::string& name);

}  // namespace misrule::interceptor
