#pragma once

// What SCAN and its kin answer, a cursor and a page of items, with one or both of them changed.

#include <optional>
#include <string>

#include "base/bytes.h"
#include "codecs/value.h"

namespace misrule::codecs::redis {

/// "cursor": another one; "keys": other items; "missing": so many fewer; "repeat": all items again.
bool is_page_edit(std::string_view name);

/// `page`: the whole value, whose items are pairs if `in_pairs`. Nothing if it is no page.
std::optional<std::string> edited_page(ByteView page, const ValueMap& edits, bool in_pairs);

}  // namespace misrule::codecs::redis
