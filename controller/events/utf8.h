#pragma once

// What of foreign bytes may stand in a JSON document or go to a terminal as text?

#include <string>
#include <string_view>

namespace misrule::controller {

/// Length of the well-formed UTF-8 sequence at the front of `text`, which is not empty; 0 if there
/// is none.
std::size_t utf8_length(std::string_view text);

/// The same text, each byte that is no part of well-formed UTF-8 replaced by U+FFFD. ASCII stays
/// where it is, so a document in JSON may be passed as a whole.
std::string as_utf8(std::string_view text);

}  // namespace misrule::controller
