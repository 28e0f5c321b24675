#pragma once

// One direction's bytes, message by message: what streams, what is dropped as it comes, what stops.

#include <cstddef>
#include <functional>
#include <optional>

#include "base/bytes.h"
#include "codecs/conversation.h"

namespace misrule::codecs::postgres {

/// The rest of a message whose front has been dealt with.
struct Flow {
  std::size_t passing = 0;
  std::size_t dropping = 0;
};

/// What the front of the unread bytes comes to. No act and nothing to pass: more is needed.
struct Move {
  std::size_t pass = 0;
  std::optional<Act> act = {};
  std::size_t need = 0;
};

/// Asks `next` about the front of what is left, until it acts, needs more, or nothing is left.
Step walk_messages(ByteView unread, Flow& flow, const std::function<Move(ByteView rest)>& next);

}  // namespace misrule::codecs::postgres
