#include "codecs/postgres/numeric.h"

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

TEST(Numeric, GoesThereAndBack) {
  for (const char* text : {"0", "1", "-1", "12345.6700", "0.0001", "-0.00001234", "10000",
                           "99990000", "123456789012345678901234567890.5", "0.00"}) {
    const auto bytes = encode_numeric(text);
    ASSERT_TRUE(bytes.has_value()) << text;
    EXPECT_EQ(numeric_text(*bytes), text);
  }
}

TEST(Numeric, BytesOfAServer) {
  // What PostgreSQL 15 sends for -12345.678: groups 1, 2345, 6780; weight 1; scale 3.
  const std::string bytes("\0\3\0\1\x40\0\0\3\0\1\x09\x29\x1a\x7c", 14);
  EXPECT_EQ(numeric_text(bytes), "-12345.678");
  EXPECT_EQ(encode_numeric("-12345.678"), bytes);
}

TEST(Numeric, WhatIsNone) {
  for (const char* text : {"", "-", ".", "1e3", "NaN", "1.2.3", "+1", "1 "}) {
    EXPECT_FALSE(encode_numeric(text).has_value()) << text;
  }
  EXPECT_FALSE(numeric_text("short").has_value());
  EXPECT_FALSE(numeric_text(std::string("\0\1\0\0\0\0\0\0\xff\xff", 10)).has_value());
}

}  // namespace
}  // namespace misrule::codecs::postgres
