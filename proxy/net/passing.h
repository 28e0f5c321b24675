#pragma once

// What nobody decodes, where something else was expected: bytes flow as they come.

#include <memory>

#include "codecs/conversation.h"

namespace misrule::proxy {

std::unique_ptr<codecs::Conversation> make_passing_conversation();

}  // namespace misrule::proxy
