#pragma once

// A text as JSON spells it.

#include <string>
#include <string_view>

namespace misrule {

/// With its quotes. `text` is UTF-8.
std::string json_quoted(std::string_view text);

}  // namespace misrule
