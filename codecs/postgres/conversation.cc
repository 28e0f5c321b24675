#include "codecs/postgres/conversation.h"

#include "codecs/postgres/startup.h"

namespace misrule::codecs::postgres {

namespace {

class PostgresConversation final : public Conversation {
 public:
  PostgresConversation(ConversationHost& host, const Limits& limits)
      : host_(host), limits_(limits) {}

  Step walk(Direction direction, ByteView unread) override {
    if (direction == Direction::kToClient || started_) return {.pass = unread.size()};
    if (unread.empty()) return {};
    const auto decoded = decode_first_packet(unread, limits_);
    if (const auto* more = std::get_if<NeedMore>(&decoded)) return {.need = more->bytes_min};
    if (const auto* error = std::get_if<DecodeError>(&decoded)) {
      started_ = true;
      host_.went_opaque(error->what);
      return {.pass = unread.size()};
    }
    const auto& packet = std::get<FirstPacket>(decoded);
    if (packet.kind == FirstPacket::Kind::kSslRequest ||
        packet.kind == FirstPacket::Kind::kGssEncRequest) {
      return {.act = Answer{.bytes = packet.wire_bytes, .with = "N"}};
    }
    started_ = true;
    return {.pass = unread.size()};
  }

  std::optional<Act> ended(Direction) override { return std::nullopt; }
  void released(Direction, Released) override {}
  std::optional<std::uint64_t> held_unit() const override { return std::nullopt; }

 private:
  ConversationHost& host_;
  Limits limits_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(ConversationHost& host, const Limits& limits) {
  return std::make_unique<PostgresConversation>(host, limits);
}

}  // namespace misrule::codecs::postgres
