#include "spec/model/causality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace misrule::model {
namespace {

using testing::ElementsAre;

class CausalityTest : public testing::Test {
 protected:
  void add(const std::string& service, VectorClock clock, std::vector<std::uint64_t> after = {}) {
    events_.push_back(std::make_shared<const Event>(Event{.number = events_.size() + 1,
                                                          .service = service,
                                                          .type = "stdout",
                                                          .after = std::move(after),
                                                          .clock = std::move(clock)}));
  }
  std::vector<std::uint64_t> causes(std::uint64_t number, std::size_t at_most = 10) const {
    std::vector<std::uint64_t> numbers;
    for (const Event* cause : CausalPast(events_).causes_of(*events_[number - 1], at_most)) {
      numbers.push_back(cause->number);
    }
    return numbers;
  }
  bool precede(std::uint64_t a, std::uint64_t b) const {
    return precedes(*events_[a - 1], *events_[b - 1]);
  }

  std::vector<std::shared_ptr<const Event>> events_;
};

TEST_F(CausalityTest, ClocksSayWhatPrecedes) {
  add("api", {{"api", 1}});
  add("db", {{"api", 1}, {"db", 1}});
  add("cache", {{"cache", 1}});
  add("db", {{"api", 1}, {"db", 2}});
  EXPECT_TRUE(precede(1, 2));
  EXPECT_TRUE(precede(2, 4));
  EXPECT_FALSE(precede(2, 1));
  EXPECT_FALSE(precede(3, 4)) << "it came earlier, and had no part in it";
  EXPECT_FALSE(precede(1, 1));
}

TEST_F(CausalityTest, WhatSaysItsCausesNeedsNoClock) {
  add("test", {});
  add("test", {}, {1});
  add("db", {});
  EXPECT_TRUE(precede(1, 2));
  EXPECT_FALSE(precede(1, 3));
  EXPECT_THAT(causes(2), ElementsAre(1U));
  EXPECT_THAT(causes(3), ElementsAre());
}

TEST_F(CausalityTest, CausesAreThoseOfOthersNearestFirst) {
  add("test", {{"test", 1}});
  add("cache", {{"cache", 1}});
  add("api", {{"api", 1}, {"test", 1}});
  add("api", {{"api", 2}, {"test", 1}});
  add("db", {{"api", 2}, {"db", 1}, {"test", 1}});
  add("db", {{"api", 2}, {"db", 2}, {"test", 1}});
  EXPECT_THAT(causes(6), ElementsAre(4U, 1U)) << "by way of what db told before";
  EXPECT_THAT(causes(6, 1), ElementsAre(4U));
  EXPECT_THAT(causes(2), ElementsAre());
}

TEST_F(CausalityTest, WhatItsServiceKnewBeforeIsNoNews) {
  add("test", {{"test", 1}});
  add("db", {{"db", 1}, {"test", 1}});
  add("cache", {{"cache", 1}});
  add("db", {{"cache", 1}, {"db", 2}, {"test", 1}});
  EXPECT_THAT(causes(2), ElementsAre(1U));
  EXPECT_THAT(causes(4), ElementsAre(3U));
}

// The same events without the edge from api: nothing is known to be a cause.
TEST_F(CausalityTest, NoEdgeNoCause) {
  add("test", {{"test", 1}});
  add("api", {{"api", 1}, {"test", 1}});
  add("db", {{"db", 1}});
  EXPECT_THAT(causes(3), ElementsAre());
  EXPECT_THAT(causes(2), ElementsAre(1U));
}

// What a filter has left out is no cause, and hides none.
TEST_F(CausalityTest, WhatIsMissingIsPassedOver) {
  add("api", {{"api", 1}});
  add("db", {{"api", 2}, {"db", 1}});
  EXPECT_THAT(causes(2), ElementsAre(1U));
}

}  // namespace
}  // namespace misrule::model
