#pragma once

// Places in a JSON document, as rules name them: $.items[0].price, $['a key'], $.items[*].id.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace misrule::codecs::http {

struct JsonStep {
  enum class Kind : std::uint8_t { kKey, kIndex, kAll } kind = Kind::kKey;
  std::string key = {};
  std::size_t index = 0;
};

/// Empty: the document itself.
using JsonPath = std::vector<JsonStep>;

/// The error says what is wrong with it.
Result<JsonPath> parse_json_path(std::string_view text);

}  // namespace misrule::codecs::http
