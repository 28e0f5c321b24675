#include "base/random.h"

#include <gtest/gtest.h>

namespace misrule {
namespace {

TEST(Decision, IsTheSameForTheSameKey) {
  const DecisionKey key{.seed = 7, .rule = "r", .actor = "api#1", .ordinal = 3};
  EXPECT_EQ(decision_hash(key), decision_hash(key));
}

TEST(Decision, EveryPartOfTheKeyMatters) {
  const DecisionKey key{.seed = 7, .rule = "r", .actor = "api#1", .ordinal = 3};
  DecisionKey other = key;
  other.seed = 8;
  EXPECT_NE(decision_hash(key), decision_hash(other));
  other = key;
  other.rule = "s";
  EXPECT_NE(decision_hash(key), decision_hash(other));
  other = key;
  other.actor = "api#2";
  EXPECT_NE(decision_hash(key), decision_hash(other));
  other = key;
  other.ordinal = 4;
  EXPECT_NE(decision_hash(key), decision_hash(other));
}

TEST(Decision, ChanceIsEven) {
  int below = 0;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    const double chance = decision_chance({.rule = "r", .ordinal = static_cast<std::uint64_t>(i)});
    ASSERT_GE(chance, 0.0);
    ASSERT_LT(chance, 1.0);
    below += chance < 0.25 ? 1 : 0;
  }
  EXPECT_NEAR(below, kDraws / 4, kDraws / 100);
}

}  // namespace
}  // namespace misrule
