#include "codecs/postgres/channel_binding.h"

#include <utility>

#include "base/bytes.h"

namespace misrule::codecs::postgres {

namespace {

constexpr std::size_t kHeaderBytes = 5;
/// Longer ones are none of those that come before a login.
constexpr std::size_t kMessageMax = 64 * kKiB;
constexpr std::uint32_t kSasl = 10;

/// AuthenticationSASL as it came, less what ends in -PLUS; empty if nothing is to go.
std::string without_plus(ByteView message) {
  ByteReader reader(message.substr(kHeaderBytes));
  if (reader.read_u32() != kSasl) return {};
  std::string mechanisms;
  bool found = false;
  while (reader.ok()) {
    const ByteView name = reader.read_cstring();
    if (!reader.ok() || name.empty()) break;
    if (name.ends_with("-PLUS")) {
      found = true;
    } else {
      append_cstring(mechanisms, name);
    }
  }
  if (!found || !reader.ok() || !reader.at_end()) return {};
  constexpr std::size_t kLengthAndCode = 8;
  std::string stripped = "R";
  append_u32(stripped, static_cast<std::uint32_t>(kLengthAndCode + mechanisms.size() + 1));
  append_u32(stripped, kSasl);
  stripped += mechanisms;
  stripped += '\0';
  return stripped;
}

class WithoutChannelBinding final : public Conversation {
 public:
  explicit WithoutChannelBinding(std::unique_ptr<Conversation> inner) : inner_(std::move(inner)) {}

  Step walk(Direction direction, ByteView unread) override {
    if (seen_ || direction == Direction::kToServer || unread.empty()) {
      return inner_->walk(direction, unread);
    }
    return walk_to_login(unread);
  }
  std::optional<Act> ended(Direction direction) override { return inner_->ended(direction); }
  void released(Direction direction, Released why) override { inner_->released(direction, why); }
  std::optional<std::uint64_t> held_unit() const override { return inner_->held_unit(); }
  std::string_view state() const override { return inner_->state(); }

 private:
  Step walk_to_login(ByteView unread) {
    if (unread.size() < kHeaderBytes) return {.need = kHeaderBytes};
    ByteReader reader(unread);
    const char type = static_cast<char>(reader.read_u8());
    const std::size_t size = 1 + std::size_t{reader.read_u32()};
    const bool is_login = type == 'R';
    seen_ = type == 'E' || size < kHeaderBytes || size > kMessageMax;
    if (seen_) return inner_->walk(Direction::kToClient, unread);
    if (unread.size() < size) return {.need = size};
    if (is_login) {
      seen_ = true;
      std::string stripped = without_plus(unread.substr(0, size));
      if (!stripped.empty()) return {.act = Substitute{.bytes = size, .with = std::move(stripped)}};
      return inner_->walk(Direction::kToClient, unread);
    }
    Step step = inner_->walk(Direction::kToClient, unread.substr(0, size));
    // Nothing in nothing's place: what stands behind it is walked, too.
    if (!step.act) step.act = Substitute{};
    return step;
  }

  std::unique_ptr<Conversation> inner_;
  bool seen_ = false;
};

}  // namespace

std::unique_ptr<Conversation> without_channel_binding(std::unique_ptr<Conversation> inner) {
  return std::make_unique<WithoutChannelBinding>(std::move(inner));
}

}  // namespace misrule::codecs::postgres
