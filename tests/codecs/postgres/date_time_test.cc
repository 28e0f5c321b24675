#include "codecs/postgres/date_time.h"

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

TEST(DateTime, GoesThereAndBack) {
  for (const char* text : {"2000-01-01", "1999-12-31", "2026-11-21", "0001-01-01", "2024-02-29"}) {
    const auto days = parse_date(text);
    ASSERT_TRUE(days.has_value()) << text;
    EXPECT_EQ(date_text(*days), text);
  }
  EXPECT_EQ(parse_date("2000-01-02"), 1);
  for (const char* text :
       {"2026-11-21 09:30:00", "1969-12-31 23:59:59.999999", "2000-01-01 00:00:00.5"}) {
    const auto time = parse_timestamp(text);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(timestamp_text(*time), text);
  }
}

TEST(DateTime, ZonesAndShortForms) {
  EXPECT_EQ(parse_timestamp("2000-01-01T02:00:00+02:00"), 0);
  EXPECT_EQ(parse_timestamp("1999-12-31 22:30:00-0130"), 0);
  EXPECT_EQ(parse_timestamp("2000-01-01 00:00Z"), 0);
  EXPECT_EQ(parse_timestamp("2000-01-01"), 0);
}

TEST(DateTime, TimesOfDay) {
  for (const char* text : {"00:00:00", "09:30:00.25", "23:59:59.999999", "24:00:00"}) {
    const auto time = parse_time(text);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(time_text(*time), text);
  }
  for (const char* text : {"09:30:00+02", "09:30:00-03:30", "00:00:00+00"}) {
    const auto time = parse_time_tz(text);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(time_tz_text(*time), text);
  }
  EXPECT_EQ(parse_time_tz("09:30Z")->seconds_west, 0);
  EXPECT_EQ(parse_time_tz("09:30+01")->seconds_west, -3600);
  for (const char* text : {"", "9:30", "24:00:01", "09:30:00x", "09:30 PST"}) {
    EXPECT_FALSE(parse_time(text).has_value()) << text;
    EXPECT_FALSE(parse_time_tz(text).has_value()) << text;
  }
  EXPECT_FALSE(time_tz_text({.microseconds = -1, .seconds_west = INT32_MIN}).empty()) << "hostile";
}

TEST(DateTime, WhatIsNone) {
  for (const char* text : {"", "2000", "2023-02-29", "2000-13-01", "2000-01-01x", "-001-01-01"}) {
    EXPECT_FALSE(parse_date(text).has_value()) << text;
    EXPECT_FALSE(parse_timestamp(text).has_value()) << text;
  }
  for (const char* text : {"2000-01-01 24:00:00", "2000-01-01 00:00:00.", "2000-01-01 00:00:00 PST",
                           "2000-01-01 00:00:00.1234567"}) {
    EXPECT_FALSE(parse_timestamp(text).has_value()) << text;
  }
}

TEST(DateTime, EndsOfTime) {
  EXPECT_EQ(date_text(INT32_MAX), "infinity");
  EXPECT_EQ(timestamp_text(INT64_MIN), "-infinity");
  EXPECT_FALSE(timestamp_text(INT64_MAX - 1).empty()) << "hostile, and harmless";
}

}  // namespace
}  // namespace misrule::codecs::postgres
