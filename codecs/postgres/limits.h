#pragma once

// Bounds on what a Postgres peer can make us hold, per connection.

#include <cstddef>

#include "base/bytes.h"

namespace misrule::codecs::postgres {

struct Limits {
  /// The server's own bound on a startup packet.
  std::size_t startup_bytes_max = 10'000;
  /// How much of a statement's text is gathered for matching; what is longer is matched by its
  /// front.
  std::size_t text_bytes_max = 64 * kKiB;
  /// Bound values that are read if a rule asks for them.
  std::size_t bound_bytes_max = kMiB;
  /// What is remembered of requests that wait for an answer; beyond that the connection is carried
  /// undecoded. About 250,000 statements of a batch.
  std::size_t owed_bytes_max = 128 * kMiB;
  /// Text of prepared statements, raw and normalised, and what is long of their columns and bound
  /// values; what does not fit is executed without it.
  std::size_t registry_bytes_max = 16 * kMiB;
};

}  // namespace misrule::codecs::postgres
