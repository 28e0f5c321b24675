#pragma once

// The Redis conversation: RESP2 and RESP3, from the first command to the last answer.
//
// One unit per command, in a transaction as well. An injected error is one that the server makes by
// itself, in its place: the command is replaced by one that cannot be carried out, and the words of
// that failure are replaced on their way back. Pushes, subscriptions and MONITOR flow untouched;
// what cannot be decoded makes the connection opaque, and its bytes flow on.

#include <memory>

#include "codecs/conversation.h"
#include "codecs/redis/limits.h"

namespace misrule::codecs::redis {

/// The host outlives the conversation.
std::unique_ptr<Conversation> make_conversation(ConversationHost& host, const Limits& limits = {});

}  // namespace misrule::codecs::redis
