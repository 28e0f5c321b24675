#pragma once

// Bounds on what a Redis peer can make us hold, per connection.

#include <cstddef>

#include "base/bytes.h"

namespace misrule::codecs::redis {

struct Limits {
  /// How much of a command is gathered before it is decided; keys behind that are not seen.
  std::size_t command_bytes_max = 64 * kKiB;
  /// redis-server's own bound on an inline command.
  std::size_t inline_bytes_max = 64 * kKiB;
  /// How much of a reply is gathered to know what it is; the rest streams.
  std::size_t reply_bytes_max = 4 * kKiB;
  /// The same where a rule needs the whole of it; of what is longer the rule leaves its hands.
  std::size_t whole_reply_bytes_max = kMiB;
  /// Aggregates within aggregates.
  std::size_t depth_max = 1024;
  /// Commands that wait for an answer; neighbours that no rule touched count as one.
  std::size_t owed_max = std::size_t{1} << 18;
};

}  // namespace misrule::codecs::redis
