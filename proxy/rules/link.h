#pragma once

// What a connection does to bytes, whatever they mean: the link faults that hold for it, summed up.

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace misrule::model {
class LinkFault;
}  // namespace misrule::model

namespace misrule::rules {

/// One direction of a connection. All zero: a link without faults.
struct LinkShape {
  Duration latency = {};                          ///< Added to every byte.
  Duration jitter = {};                           ///< Up to so much more or less than the latency.
  std::uint64_t bandwidth = 0;                    ///< Bytes per second; 0: no limit.
  std::uint64_t slice = 0;                        ///< At most so many bytes at once; 0: no limit.
  Duration slice_delay = {};                      ///< Between two slices.
  std::optional<std::uint64_t> close_after = {};  ///< Bytes, then the connection is closed.
  std::optional<std::uint64_t> reset_after = {};  ///< Bytes, then it is reset.
  Duration slow_close = {};                       ///< The end of the stream comes so much later.
  bool blackhole = false;                         ///< Bytes and the end of the stream vanish.
  bool half_close = false;                        ///< The direction ends now.
  bool stall = false;                             ///< Bytes and the end wait for better times.

  bool operator==(const LinkShape&) const = default;
  /// Both hold: times add up, of two limits the narrower one counts.
  void add(const LinkShape& other);
};

/// Both directions of a connection.
struct LinkShapes {
  LinkShape to_server = {};
  LinkShape to_client = {};

  bool operator==(const LinkShapes&) const = default;
  void add(const LinkShapes& other);
};

LinkShapes link_shapes(const model::LinkFault& fault);

}  // namespace misrule::rules
