#pragma once

// Which conversation speaks a protocol.

#include <memory>

#include "codecs/conversation.h"
#include "spec/model/topology.h"

namespace misrule::proxy {

/// Protocols without a codec are carried as bytes.
std::unique_ptr<codecs::Conversation> make_conversation(model::Protocol protocol,
                                                        codecs::ConversationHost& host);

}  // namespace misrule::proxy
