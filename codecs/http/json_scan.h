#pragma once

// Where in a JSON document the values of a path stand.

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "codecs/http/json_path.h"

namespace misrule::codecs::http {

struct JsonSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// In the order of the document; nothing if it is no JSON document, or too deep a one.
std::optional<std::vector<JsonSpan>> find_json(std::string_view document, const JsonPath& path);

}  // namespace misrule::codecs::http
