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
  /// Requests that wait for an answer; beyond that the connection is carried undecoded.
  std::size_t owed_max = std::size_t{1} << 18;
  /// Text of prepared statements, raw and normalised; what does not fit is executed without a text.
  std::size_t registry_bytes_max = 16 * kMiB;
};

}  // namespace misrule::codecs::postgres
