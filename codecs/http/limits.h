#pragma once

// Bounds on what a peer may make us hold. Beyond them a connection goes opaque: it still flows.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace misrule::codecs::http {

struct Limits {
  std::size_t head_bytes_max = 64 * kKiB;
  std::size_t method_bytes_max = 64;
  /// One chunk's size line with its extensions.
  std::size_t chunk_line_bytes_max = 4 * kKiB;
  std::size_t trailer_bytes_max = 64 * kKiB;
  /// Requests that were read and are not answered yet.
  std::size_t pipelined_max = 10'000;
  /// A body that is read and thrown away, so that the connection can go on after an injected
  /// answer. A longer one is answered with "Connection: close".
  std::uint64_t drain_bytes_max = kMiB;
  /// A request's body that is read ahead because a rule wants to see it; a longer one is seen up to
  /// here.
  std::size_t peek_bytes_max = 64 * kKiB;
  /// A message that is taken whole, to be changed or sent twice. A longer one stays as it is.
  std::size_t whole_bytes_max = kMiB;
};

}  // namespace misrule::codecs::http
