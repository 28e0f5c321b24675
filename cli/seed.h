#pragma once

// What --seed says: a number, or "random".

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace misrule::cli {

/// "random" gives a seed that nobody chose; it is printed, so that the run can be repeated.
Result<std::uint64_t> parse_seed(std::string_view text);

}  // namespace misrule::cli
