#pragma once

// Which conversation speaks a protocol.

#include <memory>

#include "codecs/conversation.h"
#include "spec/model/topology.h"

namespace misrule::proxy {

using ConversationMaker = std::unique_ptr<codecs::Conversation>(model::Protocol protocol,
                                                                codecs::ConversationHost& host);

/// Protocols without a codec are carried as bytes.
ConversationMaker make_conversation;

}  // namespace misrule::proxy
