#include "controller/report/shiviz.h"

#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

using model::VectorClock;

VectorClock next(ShivizClocks& clocks, const char* service, VectorClock clock) {
  return clocks.next({.service = service, .clock = std::move(clock)});
}

TEST(Shiviz, SoundClocksStayAsTheyAre) {
  ShivizClocks clocks;
  EXPECT_EQ(next(clocks, "test", {{"test", 1}}), (VectorClock{{"test", 1}}));
  EXPECT_EQ(next(clocks, "api", {{"api", 1}, {"test", 1}}), (VectorClock{{"test", 1}, {"api", 1}}));
  EXPECT_EQ(next(clocks, "test", {{"api", 1}, {"test", 2}}),
            (VectorClock{{"test", 2}, {"api", 1}}));
}

TEST(Shiviz, S0_22_AHostCountsItsEventsWithoutAGap) {
  ShivizClocks clocks;
  next(clocks, "test", {{"test", 7}});
  // Another process of ours begins to count anew.
  EXPECT_EQ(next(clocks, "test", {{"test", 1}}), (VectorClock{{"test", 2}}));
}

TEST(Shiviz, S0_22_NobodyKnowsMoreThanHasBeenTold) {
  ShivizClocks clocks;
  next(clocks, "api", {{"api", 1}});
  EXPECT_EQ(next(clocks, "test", {{"api", 9}, {"db", 3}, {"test", 1}}),
            (VectorClock{{"api", 1}, {"test", 1}}));
}

TEST(Shiviz, WhatIsKnownOfOthersIsNeverForgotten) {
  ShivizClocks clocks;
  next(clocks, "db", {{"db", 1}});
  next(clocks, "api", {{"api", 1}, {"db", 1}});
  EXPECT_EQ(next(clocks, "test", {{"api", 1}, {"test", 1}}),
            (VectorClock{{"db", 1}, {"api", 1}, {"test", 1}}));
  EXPECT_EQ(next(clocks, "test", {{"test", 2}}), (VectorClock{{"db", 1}, {"api", 1}, {"test", 2}}));
}

}  // namespace
}  // namespace misrule::controller
