#pragma once

// A command as people type it: one line, words, quotes.

#include <list>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace misrule::codecs::redis {

/// Splits `line` (without its end) as redis-server does: "..." with escapes, '...' with \', blanks
/// between words. The words are views into the line or, where something was quoted, into `storage`.
/// False: the quotes do not fit, which a server refuses.
bool split_inline(ByteView line, std::vector<ByteView>& words, std::list<std::string>& storage);

}  // namespace misrule::codecs::redis
