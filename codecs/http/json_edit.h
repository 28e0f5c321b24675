#pragma once

// A JSON document with other values at some places. Everything else keeps the bytes it was sent
// with: numbers that no machine type holds, the order of keys, blanks.

#include <expected>
#include <string>
#include <string_view>

#include "codecs/value.h"

namespace misrule::codecs::http {

/// The changed document, or why there is none: it is no JSON, or has no such place.
std::expected<std::string, std::string> edit_json(std::string_view document, const ValueMap& edits);

std::string json_text(const Value& value);

}  // namespace misrule::codecs::http
