#pragma once

// What kind of value does a real server answer a command with? What a rule makes up must be one of
// that kind, in the version that is spoken, or the client's library takes the connection for
// broken.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "codecs/value.h"

namespace misrule::codecs::redis {

enum class ReplyShape : std::uint8_t {
  kAny,       ///< It is not known, or depends: as the made-up value has it.
  kStatus,    ///< "+OK".
  kText,      ///< A string; numbers are strings too.
  kVerbatim,  ///< The same; in version 3 with a format in front.
  kNumber,
  kDouble,    ///< In version 2 a string.
  kTexts,     ///< A list of strings.
  kMembers,   ///< The same; in version 3 a set.
  kNumbers,   ///< A list of numbers.
  kDoubles,   ///< A list of doubles.
  kPairs,     ///< A map of strings; in version 2 a list.
  kScores,    ///< Members and scores; in version 3 a list of pairs.
  kOneScore,  ///< One member and its score.
  kList,      ///< A list of anything.
  kLists,     ///< A list of lists, of which some may be nil.
  kPage,      ///< Of SCAN: a cursor and a list of strings.
};

/// Of the command `name`, in capitals. Without its arguments what may be of several kinds is kAny.
ReplyShape shape_of(std::string_view name, std::span<const ByteView> arguments);

/// Could such a reply hold this value?
bool can_hold(ReplyShape shape, const Value& value);
/// "a string or None".
std::string_view words_for(ReplyShape shape);

/// The value on the wire of `version` 2 or 3.
std::string encoded_reply(const Value& value, ReplyShape shape, int version);

}  // namespace misrule::codecs::redis
