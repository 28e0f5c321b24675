#include "codecs/postgres/interval.h"

#include <string>

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

// Left: what a person writes; right: what PostgreSQL 15 answers to `select '…'::interval`.
TEST(IntervalText, IsWhatTheServerMakesOfIt) {
  const std::pair<const char*, const char*> cases[] = {
      {"1 day", "1 day"},
      {"2 days", "2 days"},
      {"0 sec", "00:00:00"},
      {"1 year 2 mons 3 days 04:05:06.789", "1 year 2 mons 3 days 04:05:06.789"},
      {"14 months", "1 year 2 mons"},
      {"-14 months", "-1 years -2 mons"},
      {"3 weeks", "21 days"},
      {"90 minutes", "01:30:00"},
      {"1.5 hours", "01:30:00"},
      {"250 ms", "00:00:00.25"},
      {"7 microseconds", "00:00:00.000007"},
      {"-04:05:06", "-04:05:06"},
      {"1 day -00:00:01", "1 day -00:00:01"},
      {"-1 days +02:03:00", "-1 days +02:03:00"},
      {"100:00:00", "100:00:00"},
      {"@ 1 day 2 hours ago", "-1 days -02:00:00"},
      {"P1Y2M3DT4H5M6.5S", "1 year 2 mons 3 days 04:05:06.5"},
      {"PT90M", "01:30:00"},
      {"P2W", "14 days"},
  };
  for (const auto& [written, server] : cases) {
    const auto interval = parse_interval(written);
    ASSERT_TRUE(interval.has_value()) << written;
    EXPECT_EQ(interval_text(*interval), server) << written;
    EXPECT_EQ(parse_interval(server), interval) << server;
  }
}

TEST(IntervalText, WhatIsNone) {
  for (const char* text : {"", " ", "@", "ago", "1", "day", "1 dayz", "1.5 days", "1 fortnight",
                           "04:", "04:60", "99999999999 days", "P", "P1", "P1DT", "PT1D", "P1H",
                           "1 day --04:00:00x", "99999999 decades"}) {
    EXPECT_FALSE(parse_interval(text).has_value()) << text;
  }
}

TEST(IntervalText, EndsOfTheRange) {
  const Interval least{.microseconds = INT64_MIN, .days = INT32_MIN, .months = INT32_MIN};
  EXPECT_EQ(interval_text(least),
            "-178956970 years -8 mons -2147483648 days "
            "-2562047788:00:54.775808");
}

}  // namespace
}  // namespace misrule::codecs::postgres
