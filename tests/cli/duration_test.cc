#include "cli/duration.h"

#include <gtest/gtest.h>

#include "cli/seed.h"

namespace misrule::cli {
namespace {

using std::chrono::milliseconds;

TEST(Duration, UnitsAndFractions) {
  EXPECT_EQ(parse_duration("500ms").value(), milliseconds(500));
  EXPECT_EQ(parse_duration("30s").value(), std::chrono::seconds(30));
  EXPECT_EQ(parse_duration("1.5s").value(), milliseconds(1500));
  EXPECT_EQ(parse_duration("2m").value(), std::chrono::minutes(2));
  EXPECT_EQ(parse_duration("1h").value(), std::chrono::hours(1));
}

TEST(Duration, WhatIsNoneSaysWhatOneLooksLike) {
  for (const char* text : {"", "30", "s", "-1s", "0s", "1 s", "1d", "1e30h", "nans", "3sx"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_NE(parsed.error().what.find("500ms"), std::string::npos);
  }
}

TEST(Seed, NumbersAndRandom) {
  EXPECT_EQ(parse_seed("0").value(), 0U);
  EXPECT_EQ(parse_seed("18446744073709551615").value(), UINT64_MAX);
  EXPECT_TRUE(parse_seed("random").has_value());
  for (const char* text : {"", "-1", "1x", "18446744073709551616", "Random"}) {
    EXPECT_FALSE(parse_seed(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace misrule::cli
