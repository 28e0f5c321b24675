#pragma once

// A published message or an invalidation, as a rule sees it.

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "codecs/facts.h"

namespace misrule::codecs::redis {

/// The channel that stands for invalidations in version 2.
constexpr std::string_view kInvalidations = "__redis__:invalidate";

/// Views live as long as the bytes.
struct Pushed {
  std::string_view operation = {};  ///< "message", "pmessage", "smessage", "invalidate".
  std::string_view channel = {};
  std::size_t payload_at = 0;  ///< Where the message begins, with its framing.
};
/// `value`: the front of one, from its type byte on.
std::optional<Pushed> read_pushed(ByteView value);

/// Argument 1 is the message; of an invalidation each key.
class PushDetails final : public Details {
 public:
  /// `payload`: the message with its framing, as far as it is there.
  explicit PushDetails(ByteView payload) : payload_(payload) {}

  bool any(Detail what, std::string_view key,
           const std::function<bool(std::string_view)>& wants) const override;

 private:
  ByteView payload_;
};

}  // namespace misrule::codecs::redis
