#include "codecs/postgres/conversation.h"

#include "codecs/postgres/session.h"
#include "codecs/postgres/to_client.h"
#include "codecs/postgres/to_server.h"

namespace misrule::codecs::postgres {

namespace {

class PostgresConversation final : public Conversation {
 public:
  PostgresConversation(ConversationHost& host, const Limits& limits) : session_(host, limits) {}

  Step walk(Direction direction, ByteView unread) override {
    return direction == Direction::kToServer ? to_server_.walk(unread) : to_client_.walk(unread);
  }

  std::optional<Act> ended(Direction direction) override {
    (direction == Direction::kToServer ? client_ended_ : server_ended_) = true;
    std::optional<Act> last;
    if (server_ended_) last = to_client_.ended();
    if (direction == Direction::kToServer || server_ended_) to_server_.ended();
    if (server_ended_) session_.tell_all_unanswered("connection closed");
    return last;
  }

  void released(Direction direction, Released why) override {
    if (direction == Direction::kToServer) {
      to_server_.released(why);
    } else {
      to_client_.released(why);
    }
  }

  std::optional<std::uint64_t> held_unit() const override {
    const auto request = to_server_.held_unit();
    return request ? request : to_client_.held_unit();
  }

  std::string_view state() const override {
    if (session_.phase == Session::Phase::kFirstPacket) return "startup";
    if (session_.is_raw()) return "raw";
    if (session_.ledger.copying()) return "copy";
    return state_text(session_.expected);
  }

 private:
  Session session_;
  ToServer to_server_{session_};
  ToClient to_client_{session_};
  bool client_ended_ = false;
  bool server_ended_ = false;
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(ConversationHost& host, const Limits& limits) {
  return std::make_unique<PostgresConversation>(host, limits);
}

}  // namespace misrule::codecs::postgres
