#include "codecs/redis/conversation.h"

#include "codecs/redis/session.h"
#include "codecs/redis/to_client.h"
#include "codecs/redis/to_server.h"

namespace misrule::codecs::redis {
namespace {

class RedisConversation final : public Conversation {
 public:
  RedisConversation(ConversationHost& host, const Limits& limits) : session_(host, limits) {}

  Step walk(Direction direction, ByteView unread) override {
    return direction == Direction::kToServer ? to_server_.walk(unread) : to_client_.walk(unread);
  }

  // A client that ends its stream may still read the answers.
  std::optional<Act> ended(Direction direction) override {
    to_server_.ended();
    return direction == Direction::kToServer ? std::nullopt : to_client_.ended();
  }

  void released(Direction direction, Released why) override {
    if (direction == Direction::kToServer) {
      to_server_.released(why);
    } else {
      to_client_.released(why);
    }
  }

  std::string_view state() const override {
    if (session_.replies_raw) return "raw";
    return session_.in_transaction ? "transaction" : "idle";
  }

  std::optional<std::uint64_t> held_unit() const override {
    const auto request = to_server_.held_unit();
    return request ? request : to_client_.held_unit();
  }

 private:
  Session session_;
  ToServer to_server_{session_};
  ToClient to_client_{session_};
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(ConversationHost& host, const Limits& limits) {
  return std::make_unique<RedisConversation>(host, limits);
}

}  // namespace misrule::codecs::redis
