#pragma once

// What services ran: which of it goes into a bundle, and how it is known again.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/run/run.h"

namespace misrule::controller {

struct Program {
  std::string service = {};
  std::string path = {};  ///< Relative to where misrule was called, if it lies below that.
  std::uintmax_t bytes = 0;
  std::string hash = {};
  std::optional<std::string> content = {};  ///< Nothing: it is only named.
};

/// Each file once. Contents only of files below the folder of a spec, up to a bound; nothing hidden
/// and nothing that a link leads to from there.
std::vector<Program> programs_of(const RunResult& result, bool with_contents);

/// Empty: it cannot be read.
std::string hash_of_program(const std::string& path);

}  // namespace misrule::controller
