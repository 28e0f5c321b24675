#pragma once

// Text of the traffic as events may show it.

#include <string>
#include <string_view>

namespace misrule::proxy {

/// At most 2 KiB, saying how much is left out; what follows PASSWORD in SQL is masked;
/// bytes that are no UTF-8 are U+FFFD.
std::string event_text(std::string_view text);

}  // namespace misrule::proxy
