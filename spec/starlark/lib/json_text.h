#pragma once

// Pieces of JSON text.

#include <string>
#include <string_view>

namespace misrule::star {

/// In double quotes, as json.encode writes it.
void append_json_string(std::string& out, std::string_view text);
/// The same JSON on several lines; nothing is checked but that strings end.
std::string indent_json(std::string_view text, std::string_view prefix, std::string_view indent);

}  // namespace misrule::star
