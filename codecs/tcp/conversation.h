#pragma once

// A connection whose bytes are not decoded: one unit, "connection", decided when it stands.
//
// What rules can do here: delay it (nothing flows towards the server until the hold is over), or
// end it. Bytes are never looked at.

#include <memory>

#include "codecs/conversation.h"

namespace misrule::codecs::tcp {

/// The host outlives the conversation.
std::unique_ptr<Conversation> make_conversation(ConversationHost& host);

}  // namespace misrule::codecs::tcp
