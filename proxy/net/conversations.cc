#include "proxy/net/conversations.h"

#include "codecs/tcp/conversation.h"

namespace misrule::proxy {

std::unique_ptr<codecs::Conversation> make_conversation(model::Protocol,
                                                        codecs::ConversationHost& host) {
  return codecs::tcp::make_conversation(host);
}

}  // namespace misrule::proxy
