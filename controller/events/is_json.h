#pragma once

// Whether a text is one JSON document (RFC 8259), without making values of it.

#include <string_view>

namespace misrule::controller {

bool is_json(std::string_view text);

}  // namespace misrule::controller
