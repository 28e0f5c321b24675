#pragma once

// HTTP/1.x over one connection: every request is a unit, asked about when its head is complete and
// before any of it flows.
//
// What rules can do here: hold a request or its reply, answer in the server's place, end the
// connection. An injected answer stands where the server's would have stood, after all earlier
// ones. The body of a request that is answered so is read and thrown away, up to a limit; beyond it
// the answer says "Connection: close". Bytes that no rule touches flow as they came.

#include <memory>

#include "codecs/conversation.h"
#include "codecs/http/limits.h"

namespace misrule::codecs::http {

/// The host outlives the conversation.
std::unique_ptr<Conversation> make_conversation(ConversationHost& host, const Limits& limits = {});

}  // namespace misrule::codecs::http
