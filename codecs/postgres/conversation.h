#pragma once

// The Postgres conversation: protocol 3.0, from the first packet to the last reply.
//
// One unit per executed statement: each statement of a simple Query, each first Execute of a bound
// portal. Authentication, notices, notifications and COPY flow untouched; what cannot be decoded
// makes the connection opaque, and its bytes flow on.

#include <memory>

#include "codecs/conversation.h"
#include "codecs/postgres/limits.h"

namespace misrule::codecs::postgres {

/// The host outlives the conversation.
std::unique_ptr<Conversation> make_conversation(ConversationHost& host, const Limits& limits = {});

}  // namespace misrule::codecs::postgres
