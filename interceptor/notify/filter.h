#pragma once

// The seccomp program of a service: no wider than the families that a rule may look at.

#include <set>
#include <string>
#include <vector>

#include <linux/filter.h>

#include "base/result.h"

namespace misrule::interceptor {

struct FilterScope {
  std::set<std::string> families = {};  ///< connect is always seen.
  bool sockets = true;                  ///< The members of read and write that only sockets know.
};

/// Calls of another architecture pass: libseccomp's own default would kill the process.
/// kInvalid: no such family. io_uring_setup is always seen: what a ring does, no filter sees.
Result<std::vector<sock_filter>> build_filter(const FilterScope& scope);

/// The number of a call on this machine; negative if it has none here.
int syscall_number(const char* name);

}  // namespace misrule::interceptor
