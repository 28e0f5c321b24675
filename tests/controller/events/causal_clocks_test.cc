#include "controller/events/causal_clocks.h"

#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

using Clock = model::VectorClock;

TEST(CausalClocksTest, WhatPassesIsKnownFromThenOn) {
  CausalClocks clocks;
  EXPECT_EQ(clocks.next("api", 10), (Clock{{"api", 1}}));
  EXPECT_EQ(clocks.next("db", 11), (Clock{{"db", 1}}));
  clocks.pass("api", "db", 20);
  EXPECT_EQ(clocks.next("api", 21), (Clock{{"api", 2}})) << "nothing has come back";
  EXPECT_EQ(clocks.next("db", 22), (Clock{{"api", 1}, {"db", 2}}));
  clocks.pass("db", "api", 30);
  EXPECT_EQ(clocks.next("api", 31), (Clock{{"api", 3}, {"db", 2}}));
}

TEST(CausalClocksTest, AServiceThatTellsNothingHandsOnWhatItKnows) {
  CausalClocks clocks;
  clocks.next("test", 1);
  clocks.pass("test", "api", 2);
  clocks.pass("api", "db", 3);
  EXPECT_EQ(clocks.next("db", 4), (Clock{{"db", 1}, {"test", 1}}));
}

TEST(CausalClocksTest, NobodyLearnsFromItself) {
  CausalClocks clocks;
  clocks.next("api", 1);
  clocks.pass("api", "api", 2);
  EXPECT_EQ(clocks.next("api", 3), (Clock{{"api", 2}}));
}

// A row of the WAL is told after its commit: what was sent after the commit is not its cause.
TEST(CausalClocksTest, WhatIsToldLateKnowsWhatWasSentBeforeItHappened) {
  CausalClocks clocks;
  clocks.next("one", 1);
  clocks.next("two", 2);
  clocks.pass("one", "db", 10);
  clocks.pass("two", "db", 20);
  EXPECT_EQ(clocks.next("db", 15), (Clock{{"db", 1}, {"one", 1}}));
  EXPECT_EQ(clocks.next("db", 19), (Clock{{"db", 2}, {"one", 1}}));
  EXPECT_EQ(clocks.next("db", 20), (Clock{{"db", 3}, {"one", 1}, {"two", 1}}));
}

TEST(CausalClocksTest, WhatIsSentBetweenIsNotLostToThoseWhoAskEarlier) {
  CausalClocks clocks;
  clocks.next("one", 1);
  clocks.pass("one", "db", 10);
  clocks.next("db", 5);  // Told late: it knows nothing of it,
  clocks.pass("db", "two", 12);
  EXPECT_EQ(clocks.next("two", 13), (Clock{{"db", 1}, {"one", 1}, {"two", 1}}));
}

// However much is sent to who tells nothing: the memory is bounded, and nothing is claimed that was
// not sent by then.
TEST(CausalClocksTest, MuchIsRememberedMoreRoughly) {
  CausalClocks clocks;
  constexpr std::int64_t kSent = 10'000;
  for (std::int64_t i = 1; i <= kSent; ++i) {
    clocks.next("api", i * 10);
    clocks.pass("api", "db", i * 10 + 1);
  }
  const auto known_at = [&](std::int64_t time) -> std::int64_t {
    const Clock clock = clocks.next("db", time);
    return clock.front().first == "api" ? static_cast<std::int64_t>(clock.front().second) : 0;
  };
  EXPECT_LE(known_at(kSent / 2 * 10 + 5), kSent / 2);
  constexpr std::int64_t kRecent = kSent - 500;
  EXPECT_EQ(known_at(kRecent * 10 + 5), kRecent) << "what is a little late knows all of it";
  EXPECT_EQ(known_at(kSent * 10 + 5), kSent);
}

}  // namespace
}  // namespace misrule::controller
