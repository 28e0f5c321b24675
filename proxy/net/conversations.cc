#include "proxy/net/conversations.h"

#include "codecs/http/conversation.h"
#include "codecs/postgres/conversation.h"
#include "codecs/redis/conversation.h"
#include "codecs/tcp/conversation.h"

namespace misrule::proxy {

std::unique_ptr<codecs::Conversation> make_conversation(model::Protocol protocol,
                                                        codecs::ConversationHost& host) {
  switch (protocol) {
    case model::Protocol::kPostgres:
      return codecs::postgres::make_conversation(host);
    case model::Protocol::kHttp:
      return codecs::http::make_conversation(host);
    case model::Protocol::kRedis:
      return codecs::redis::make_conversation(host);
    default:
      return codecs::tcp::make_conversation(host);
  }
}

}  // namespace misrule::proxy
