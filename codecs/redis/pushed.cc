#include "codecs/redis/pushed.h"

#include <algorithm>

#include "codecs/redis/length_line.h"
#include "codecs/redis/payload.h"

namespace misrule::codecs::redis {
namespace {

// The string at `at`, which is moved behind it; nothing if it is not there whole.
std::optional<std::string_view> take_string(ByteView value, std::size_t& at) {
  if (at >= value.size() || value[at] != '$') return std::nullopt;
  ++at;
  const auto size = read_small_length(value, at);
  if (!size || value.size() - at < *size + 2) return std::nullopt;
  const std::string_view text = value.substr(at, *size);
  at += *size + 2;
  return text;
}

}  // namespace

std::optional<Pushed> read_pushed(ByteView value) {
  std::size_t at = value.find('\n');
  if (at == ByteView::npos) return std::nullopt;
  const auto operation = take_string(value, ++at);
  if (!operation) return std::nullopt;
  if (*operation == "invalidate") {
    return Pushed{.operation = *operation, .channel = kInvalidations, .payload_at = at};
  }
  if (*operation == "pmessage" && !take_string(value, at)) return std::nullopt;
  const bool published =
      *operation == "message" || *operation == "pmessage" || *operation == "smessage";
  const auto channel = published ? take_string(value, at) : std::nullopt;
  if (!channel) return std::nullopt;
  return Pushed{.operation = *operation, .channel = *channel, .payload_at = at};
}

bool PushDetails::any(Detail what, std::string_view key,
                      const std::function<bool(std::string_view)>& wants) const {
  if (what != Detail::kArgument || key != "1") return false;
  return std::ranges::any_of(payload_of(payload_), [&](const PayloadSpan& span) {
    return wants(payload_.substr(span.at, span.size));
  });
}

}  // namespace misrule::codecs::redis
