#include "codecs/tcp/conversation.h"

#include <utility>

namespace misrule::codecs::tcp {

namespace {

class ByteConversation final : public Conversation {
 public:
  explicit ByteConversation(ConversationHost& host) : host_(host) {}

  Step walk(Direction direction, ByteView unread) override {
    if (!decided_) decide();
    const bool held =
        verb_.hold_reply ? direction == Direction::kToClient : direction == Direction::kToServer;
    if (held && verb_.hold > Duration::zero() && !due_) {
      holding_ = true;
      return {.act = Hold{.for_at_most = verb_.hold, .unit = kUnit}};
    }
    if (const auto close = ending()) return {.act = close};
    return {.pass = unread.size()};
  }

  std::optional<Act> ended(Direction direction) override {
    (direction == Direction::kToServer ? client_ended_ : server_ended_) = true;
    if (client_ended_ && server_ended_) tell("connection closed", flowed());
    return std::nullopt;
  }

  void released(Direction, Released why) override {
    holding_ = false;
    due_ = true;
    if (why == Released::kDue) return;
    host_.hold_ended(kUnit, why);
    verb_.kind = Verb::Kind::kForward;
  }

  std::optional<std::uint64_t> held_unit() const override {
    return holding_ ? std::optional(kUnit) : std::nullopt;
  }

 private:
  static constexpr std::uint64_t kUnit = 1;

  void decide() {
    decided_ = true;
    verb_ = host_.decide({.unit = kUnit, .protocol = "tcp", .operation = "connection"});
  }

  std::optional<Act> ending() {
    const bool reset = verb_.kind == Verb::Kind::kReset;
    if (!reset && verb_.kind != Verb::Kind::kClose) return std::nullopt;
    tell(reset ? "connection reset" : "connection closed", ServerOutcome::kDidNot);
    return Close{.reset = reset};
  }

  ServerOutcome flowed() const { return holding_ ? ServerOutcome::kDidNot : ServerOutcome::kDid; }

  void tell(std::string reply, ServerOutcome server) {
    if (!decided_ || std::exchange(told_, true)) return;
    host_.exchanged({.unit = kUnit,
                     .reply = std::move(reply),
                     .failed = server == ServerOutcome::kDidNot,
                     .server = server,
                     .tag = verb_.tag});
  }

  ConversationHost& host_;
  Verb verb_ = {};
  bool decided_ = false;
  bool holding_ = false;
  bool due_ = false;
  bool told_ = false;
  bool client_ended_ = false;
  bool server_ended_ = false;
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(ConversationHost& host) {
  return std::make_unique<ByteConversation>(host);
}

}  // namespace misrule::codecs::tcp
