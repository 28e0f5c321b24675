#pragma once

// numeric's binary form: digits in base 10000.

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace misrule::codecs::postgres {

/// "-12.50", "1e3" is none.
std::optional<std::string> encode_numeric(std::string_view decimal);
std::optional<std::string> numeric_text(ByteView bytes);

}  // namespace misrule::codecs::postgres
