#pragma once

// Pieces of JSON text.

#include <string>
#include <string_view>

#include "spec/starlark/value.h"

namespace misrule::star {

/// In double quotes, as json.encode writes it.
void append_json_string(std::string& out, std::string_view text);
/// encode_json() for the function `name`.
std::string encode_json_as(std::string_view name, const Value& value);
/// The same JSON on several lines; nothing is checked but that strings end.
std::string indent_json(std::string_view text, std::string_view prefix, std::string_view indent);

}  // namespace misrule::star
