#include "codecs/redis/reply.h"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace misrule::codecs::redis {
namespace {

using Kind = PubsubMessage::Kind;
using Of = PubsubMessage::Of;

struct Named {
  std::string_view name;
  Kind kind;
  Of of;
};
constexpr std::array kNames = std::to_array<Named>({
    {"message", Kind::kPublished, Of::kChannel},
    {"pmessage", Kind::kPublished, Of::kPattern},
    {"smessage", Kind::kPublished, Of::kShard},
    {"subscribe", Kind::kSubscribed, Of::kChannel},
    {"psubscribe", Kind::kSubscribed, Of::kPattern},
    {"ssubscribe", Kind::kSubscribed, Of::kShard},
    {"unsubscribe", Kind::kUnsubscribed, Of::kChannel},
    {"punsubscribe", Kind::kUnsubscribed, Of::kPattern},
    {"sunsubscribe", Kind::kUnsubscribed, Of::kShard},
});

std::int64_t number_of(ByteView digits) {
  std::int64_t number = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

std::string counted(ByteView number, std::string_view what) {
  std::string text(number);
  text += ' ';
  text += what;
  return text;
}

}  // namespace

Reply read_reply(ByteView value) {
  if (value.empty()) return {};
  return {.type = value.front(), .line = value.substr(1, value.find('\r') - 1)};
}

std::string text_of(const Reply& reply) {
  switch (reply.type) {
    case '$':
    case '=':
    case '!':
      return reply.is_nil() ? "nil" : counted(reply.line, "bytes");
    case '*':
    case '~':
    case '>':
      return reply.is_nil() ? "nil" : counted(reply.line, "items");
    case '%':
      return counted(reply.line, "pairs");
    case '_':
      return "nil";
    case '#':
      return reply.line == "t" ? "true" : "false";
    default:
      return std::string(reply.line);
  }
}

std::optional<PubsubMessage> read_pubsub(ByteView value) {
  if (value.empty() || (value.front() != '*' && value.front() != '>')) return std::nullopt;
  const std::size_t second = value.find('\n');
  const std::size_t third = value.find('\n', second + 1);
  if (second == ByteView::npos || third == ByteView::npos) return std::nullopt;
  const ByteView name = value.substr(third + 1, value.find('\r', third) - third - 1);
  for (const Named& known : kNames) {
    if (known.name != name) continue;
    // The count is the last of the three, and the value ends with it.
    const std::size_t number = value.rfind(':');
    const ByteView digits = number == ByteView::npos ? ByteView() : value.substr(number + 1);
    return PubsubMessage{.kind = known.kind, .of = known.of, .count = number_of(digits)};
  }
  return std::nullopt;
}

bool is_monitor_line(const Reply& reply) {
  if (reply.type != '+') return false;
  const std::size_t digits = reply.line.find_first_not_of("0123456789.");
  return digits != ByteView::npos && digits > 0 && reply.line.substr(digits).starts_with(" [");
}

}  // namespace misrule::codecs::redis
