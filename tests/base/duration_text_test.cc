#include "base/duration_text.h"

#include <gtest/gtest.h>

namespace misrule {
namespace {

using namespace std::chrono_literals;

TEST(DurationText, IsTheShortestExactSpelling) {
  EXPECT_EQ(duration_text(3s), "3s");
  EXPECT_EQ(duration_text(250ms), "250ms");
  EXPECT_EQ(duration_text(1500ms), "1500ms");
  EXPECT_EQ(duration_text(1500us), "1500us");
  EXPECT_EQ(duration_text(10us), "10us");
}

}  // namespace
}  // namespace misrule
