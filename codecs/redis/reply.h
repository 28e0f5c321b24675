#pragma once

// What does this answer say, as people say it?

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace misrule::codecs::redis {

/// The front of one value, as much as was gathered of it. Views live as long as the bytes.
struct Reply {
  char type = 0;       ///< Its first byte.
  ByteView line = {};  ///< What stands between that and the end of its first line.

  bool is_error() const { return type == '-' || type == '!'; }
  bool is_nil() const { return type == '_' || line == "-1"; }
};
/// `value`: from its type byte on, attributes left out.
Reply read_reply(ByteView value);

/// "OK", "5", "nil", "12 bytes", "3 items", or the error as it is.
std::string text_of(const Reply& reply);

/// A message of publish/subscribe, as an array of version 2 or a push of version 3.
struct PubsubMessage {
  enum class Kind : std::uint8_t { kPublished, kSubscribed, kUnsubscribed } kind = Kind::kPublished;
  enum class Of : std::uint8_t { kChannel, kPattern, kShard } of = Of::kChannel;
  std::int64_t count = 0;  ///< Of subscriptions that there are after it, by the server's account.
};
/// Nothing if the value is another one. `count` is right only if the value is there whole.
std::optional<PubsubMessage> read_pubsub(ByteView value);

/// "+1700000000.123456 [0 127.0.0.1:5000] ...": what MONITOR tells.
bool is_monitor_line(const Reply& reply);

}  // namespace misrule::codecs::redis
