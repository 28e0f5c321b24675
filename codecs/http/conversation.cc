#include "codecs/http/conversation.h"

#include <utility>

#include "codecs/http/reply_side.h"
#include "codecs/http/request_side.h"
#include "codecs/http/session.h"
#include "codecs/http/websocket_side.h"

namespace misrule::codecs::http {
namespace {

class HttpConversation final : public Conversation {
 public:
  HttpConversation(ConversationHost& host, const Limits& limits)
      : session_(host, limits), requests_(session_), replies_(session_) {}

  Step walk(Direction direction, ByteView unread) override {
    Step step;
    if (sockets_ == nullptr) {
      step = direction == Direction::kToServer ? requests_.walk(unread) : replies_.walk(unread);
      if (session_.websocket == nullptr) return step;
      sockets_ = std::make_unique<Sockets>(session_);
      if (step.act.has_value()) return step;
    }
    // What follows the handshake may have come with it.
    Step after = sockets_->of(direction).walk(unread.substr(step.pass));
    after.pass += step.pass;
    return after;
  }

  // A client that ends its stream may still read the answers.
  std::optional<Act> ended(Direction direction) override {
    if (sockets_ != nullptr) return sockets_->of(direction).ended();
    return direction == Direction::kToServer ? requests_.ended() : replies_.ended();
  }

  void released(Direction direction, Released why) override {
    if (sockets_ != nullptr) {
      sockets_->of(direction).released(why);
    } else if (direction == Direction::kToServer) {
      requests_.released(why);
    } else {
      replies_.released(why);
    }
  }

  std::optional<std::uint64_t> held_unit() const override {
    if (sockets_ != nullptr) {
      const auto to_server = sockets_->to_server.held_unit();
      return to_server.has_value() ? to_server : sockets_->to_client.held_unit();
    }
    return requests_.held_unit().has_value() ? requests_.held_unit() : replies_.held_unit();
  }

  std::string_view state() const override {
    if (session_.requests_raw || session_.replies_raw) return "raw";
    if (sockets_ != nullptr) return "websocket";
    return session_.ledger().empty() ? "idle" : "request";
  }

 private:
  struct Sockets {
    explicit Sockets(Session& session)
        : to_server(session, Direction::kToServer), to_client(session, Direction::kToClient) {}
    WebSocketSide& of(Direction direction) {
      return direction == Direction::kToServer ? to_server : to_client;
    }
    WebSocketSide to_server;
    WebSocketSide to_client;
  };

  Session session_;
  RequestSide requests_;
  ReplySide replies_;
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(ConversationHost& host, const Limits& limits) {
  return std::make_unique<HttpConversation>(host, limits);
}

}  // namespace misrule::codecs::http
