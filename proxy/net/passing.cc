#include "proxy/net/passing.h"

namespace misrule::proxy {

namespace {

class PassingConversation final : public codecs::Conversation {
 public:
  codecs::Step walk(codecs::Direction, ByteView unread) override { return {.pass = unread.size()}; }
  std::optional<codecs::Act> ended(codecs::Direction) override { return std::nullopt; }
  void released(codecs::Direction, codecs::Released) override {}
  std::optional<std::uint64_t> held_unit() const override { return std::nullopt; }
};

}  // namespace

std::unique_ptr<codecs::Conversation> make_passing_conversation() {
  return std::make_unique<PassingConversation>();
}

}  // namespace misrule::proxy
