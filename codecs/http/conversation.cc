#include "codecs/http/conversation.h"

#include "codecs/http/reply_side.h"
#include "codecs/http/request_side.h"
#include "codecs/http/session.h"

namespace misrule::codecs::http {
namespace {

class HttpConversation final : public Conversation {
 public:
  HttpConversation(ConversationHost& host, const Limits& limits)
      : session_(host, limits), requests_(session_), replies_(session_) {}

  Step walk(Direction direction, ByteView unread) override {
    return direction == Direction::kToServer ? requests_.walk(unread) : replies_.walk(unread);
  }

  // A client that ends its stream may still read the answers.
  std::optional<Act> ended(Direction direction) override {
    return direction == Direction::kToServer ? requests_.ended() : replies_.ended();
  }

  void released(Direction direction, Released why) override {
    if (direction == Direction::kToServer) {
      requests_.released(why);
    } else {
      replies_.released(why);
    }
  }

  std::optional<std::uint64_t> held_unit() const override {
    return requests_.held_unit().has_value() ? requests_.held_unit() : replies_.held_unit();
  }

  std::string_view state() const override {
    if (session_.requests_raw || session_.replies_raw) return "raw";
    return session_.ledger().empty() ? "idle" : "request";
  }

 private:
  Session session_;
  RequestSide requests_;
  ReplySide replies_;
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(ConversationHost& host, const Limits& limits) {
  return std::make_unique<HttpConversation>(host, limits);
}

}  // namespace misrule::codecs::http
