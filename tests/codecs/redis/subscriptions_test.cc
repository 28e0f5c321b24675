#include "codecs/redis/subscriptions.h"

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

using Kind = PubsubMessage::Kind;
using Of = PubsubMessage::Of;

TEST(Subscriptions, AreCountedByKind) {
  Subscriptions subscriptions;
  EXPECT_FALSE(subscriptions.any());
  subscriptions.confirmed({.kind = Kind::kSubscribed, .of = Of::kChannel, .count = 1});
  subscriptions.confirmed({.kind = Kind::kSubscribed, .of = Of::kPattern, .count = 2});
  subscriptions.confirmed({.kind = Kind::kSubscribed, .of = Of::kChannel, .count = 3});
  subscriptions.confirmed({.kind = Kind::kSubscribed, .of = Of::kShard, .count = 1});
  EXPECT_EQ(subscriptions.of(Of::kChannel), 2);
  EXPECT_EQ(subscriptions.of(Of::kPattern), 1);
  EXPECT_EQ(subscriptions.of(Of::kShard), 1);
  subscriptions.confirmed({.kind = Kind::kUnsubscribed, .of = Of::kPattern, .count = 2});
  EXPECT_EQ(subscriptions.of(Of::kPattern), 0);
  EXPECT_EQ(subscriptions.of(Of::kChannel), 2);
  subscriptions.clear();
  EXPECT_FALSE(subscriptions.any());
}

}  // namespace
}  // namespace misrule::codecs::redis
