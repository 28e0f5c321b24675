#pragma once

// How many channels, patterns and shard channels is a connection subscribed to? By the server's
// own account, which comes with each confirmation.

#include <cstdint>

#include "codecs/redis/reply.h"

namespace misrule::codecs::redis {

class Subscriptions {
 public:
  /// A confirmation came.
  void confirmed(const PubsubMessage& message);
  void clear() { *this = {}; }

  std::int64_t of(PubsubMessage::Of kind) const;
  /// Version 2 then says other things to commands.
  bool any() const { return channels_ + patterns_ + shards_ > 0; }

 private:
  std::int64_t channels_ = 0;
  std::int64_t patterns_ = 0;
  std::int64_t shards_ = 0;
};

}  // namespace misrule::codecs::redis
