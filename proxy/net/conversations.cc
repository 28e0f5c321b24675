#include "proxy/net/conversations.h"

#include "codecs/postgres/conversation.h"
#include "codecs/tcp/conversation.h"

namespace misrule::proxy {

std::unique_ptr<codecs::Conversation> make_conversation(model::Protocol protocol,
                                                        codecs::ConversationHost& host) {
  if (protocol == model::Protocol::kPostgres) return codecs::postgres::make_conversation(host);
  return codecs::tcp::make_conversation(host);
}

}  // namespace misrule::proxy
