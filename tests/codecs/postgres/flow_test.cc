#include "codecs/postgres/flow.h"

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

Move must_not_be_asked(ByteView rest) {
  ADD_FAILURE() << "asked about " << rest;
  return {};
}

TEST(WalkMessages, RestsFlowWithoutBeingLookedAt) {
  Flow flow{.passing = 10};
  EXPECT_EQ(walk_messages("abcd", flow, must_not_be_asked).pass, 4U);
  EXPECT_EQ(flow.passing, 6U);
  EXPECT_EQ(walk_messages("", flow, must_not_be_asked).pass, 0U);
}

TEST(WalkMessages, RestsAreDroppedAsTheyCome) {
  Flow flow{.passing = 1, .dropping = 5};
  const Step step = walk_messages("abcd", flow, must_not_be_asked);
  EXPECT_EQ(step.pass, 1U);
  ASSERT_TRUE(step.act.has_value());
  EXPECT_EQ(std::get<Substitute>(*step.act).bytes, 3U);
  EXPECT_EQ(flow.dropping, 2U);
}

TEST(WalkMessages, StopsAtAnActAndTellsWhatFlowsBefore) {
  Flow flow;
  const Step step = walk_messages("aab", flow, [](ByteView rest) {
    if (rest.front() == 'a') return Move{.pass = 1};
    return Move{.act = Close{}};
  });
  EXPECT_EQ(step.pass, 2U);
  EXPECT_TRUE(step.act.has_value());
}

TEST(WalkMessages, NeedIsCountedFromWhatIsLeft) {
  Flow flow;
  const Step step = walk_messages("aab", flow, [](ByteView rest) {
    if (rest.front() == 'a') return Move{.pass = 1};
    return Move{.need = 5};
  });
  EXPECT_EQ(step.pass, 2U);
  EXPECT_EQ(step.need, 5U);
}

}  // namespace
}  // namespace misrule::codecs::postgres
