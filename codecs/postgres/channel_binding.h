#pragma once

// A server that is reached by TLS offers to bind a login to that TLS. A client that has none must
// not be offered it: it would take the offer for an attack.

#include <memory>

#include "codecs/conversation.h"

namespace misrule::codecs::postgres {

/// `inner`, whose client is not told of the mechanisms that bind to TLS.
std::unique_ptr<Conversation> without_channel_binding(std::unique_ptr<Conversation> inner);

}  // namespace misrule::codecs::postgres
