#pragma once

// What "500ms", "30s" and "2m" mean on the command line.

#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace misrule::cli {

/// A positive number (a fraction is allowed) and one of us, ms, s, m, h. Anything else is kInvalid.
Result<Duration> parse_duration(std::string_view text);

}  // namespace misrule::cli
