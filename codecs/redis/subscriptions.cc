#include "codecs/redis/subscriptions.h"

namespace misrule::codecs::redis {

void Subscriptions::confirmed(const PubsubMessage& message) {
  // The server counts channels and patterns together, shard channels by themselves.
  switch (message.of) {
    case PubsubMessage::Of::kChannel:
      channels_ = message.count - patterns_;
      break;
    case PubsubMessage::Of::kPattern:
      patterns_ = message.count - channels_;
      break;
    case PubsubMessage::Of::kShard:
      shards_ = message.count;
      break;
  }
}

std::int64_t Subscriptions::of(PubsubMessage::Of kind) const {
  switch (kind) {
    case PubsubMessage::Of::kChannel:
      return channels_;
    case PubsubMessage::Of::kPattern:
      return patterns_;
    case PubsubMessage::Of::kShard:
      break;
  }
  return shards_;
}

}  // namespace misrule::codecs::redis
