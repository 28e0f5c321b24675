#pragma once

// Where the members of a JSON object begin and end in its text, so that a number or a nested
// document keeps the spelling it came with.
//
// Expects text that a parser has accepted; on other text it answers something, within the text.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace misrule::controller {

/// One member: both views point into the text. The key is still quoted and escaped.
struct JsonMember {
  std::string_view key = {};
  std::string_view value = {};
};

/// The members of an object, or the items of an array (with empty keys).
std::vector<JsonMember> slice_json(std::string_view text);

/// The same document without blanks outside of strings; it holds no line break then.
std::string compact_json(std::string_view text);

}  // namespace misrule::controller
