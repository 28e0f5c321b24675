#include "codecs/postgres/values.h"

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

TEST(Values, EachTypeInBothFormats) {
  struct Case {
    std::uint32_t type;
    Value value;
    std::string text;
    std::size_t bytes;
  };
  const Case cases[] = {
      {kBool, {true}, "t", 1},
      {kBool, {std::string("false")}, "f", 1},
      {kInt2, {std::int64_t{-7}}, "-7", 2},
      {kInt4, {std::string("42")}, "42", 4},
      {kInt8, {INT64_MIN}, "-9223372036854775808", 8},
      {kOid, {std::int64_t{4294967295}}, "4294967295", 4},
      {kFloat4, {0.5}, "0.5", 4},
      {kFloat8, {std::int64_t{3}}, "3", 8},
      {kNumeric, {2.5}, "2.5", 12},
      {kDate, {std::string("2026-11-21")}, "2026-11-21", 4},
      {kTimestamp, {std::string("2026-11-21T09:30")}, "2026-11-21 09:30:00", 8},
      {kTimestampTz, {std::string("2026-11-21 09:30:00Z")}, "2026-11-21 09:30:00+00", 8},
      {kUuid,
       {std::string("11111111-2222-3333-4444-555555555555")},
       "11111111-2222-3333-4444-555555555555",
       16},
      {kBytea, {std::string("\\x01ff")}, "\\x01ff", 2},
      {kText, {std::string("gr\u00fc\u00df")}, "gr\u00fc\u00df", 6},
      {kVarchar, {std::int64_t{5}}, "5", 1},
      {kJsonb, {std::string("{}")}, "{}", 3},
      {kTime, {std::string("09:30")}, "09:30:00", 8},
      {kTimeTz, {std::string("09:30:00.5-03:30")}, "09:30:00.5-03:30", 12},
      {kInterval, {std::string("90 minutes")}, "01:30:00", 16},
      {1000, {std::string("{true,f,NULL}")}, "{t,f,NULL}", 34},
      {1007, {std::string("{1, -2}")}, "{1,-2}", 36},
      {1009, {std::string("{a,\"b c\"}")}, "{a,\"b c\"}", 32},
      {1016, {std::string("{}")}, "{}", 12},
      {1022, {std::string("{0.5}")}, "{0.5}", 32},
      {1185, {std::string("{\"2026-11-21 09:30:00Z\"}")}, "{\"2026-11-21 09:30:00+00\"}", 32},
      {1231, {std::string("{2.5}")}, "{2.5}", 36},
      {2951,
       {std::string("{11111111-2222-3333-4444-555555555555}")},
       "{11111111-2222-3333-4444-555555555555}",
       40},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(encode_value(one.type, Format::kText, one.value), one.text) << one.type;
    const auto binary = encode_value(one.type, Format::kBinary, one.value);
    ASSERT_TRUE(binary.has_value()) << one.type;
    EXPECT_EQ(binary->size(), one.bytes) << one.type;
    EXPECT_EQ(text_of_binary(one.type, *binary), one.text) << one.type;
  }
}

TEST(Values, WhatATypeCannotHold) {
  EXPECT_FALSE(encode_value(kInt2, Format::kText, {std::int64_t{32768}}).has_value());
  EXPECT_FALSE(encode_value(kInt4, Format::kText, {1.5}).has_value());
  EXPECT_FALSE(encode_value(kInt4, Format::kText, {std::string("abc")}).has_value());
  EXPECT_FALSE(encode_value(kBool, Format::kBinary, {std::string("yes")}).has_value());
  EXPECT_FALSE(encode_value(kUuid, Format::kText, {std::string("1234")}).has_value());
  EXPECT_FALSE(encode_value(kBytea, Format::kText, {std::string("\\x0g")}).has_value());
  EXPECT_FALSE(encode_value(kText, Format::kText, {ValueList{}}).has_value());
}

TEST(Values, UnknownTypesAreTextOnly) {
  constexpr std::uint32_t kPoint = 600;
  EXPECT_EQ(encode_value(kPoint, Format::kText, {std::string("(1,2)")}), "(1,2)");
  EXPECT_FALSE(encode_value(kPoint, Format::kBinary, {std::string("(1,2)")}).has_value());
}

TEST(Values, ArraysOfMoreDimensionsAreTextOnly) {
  constexpr std::uint32_t kInt4Array = 1007;
  EXPECT_EQ(encode_value(kInt4Array, Format::kText, {std::string("{{1},{2}}")}), "{{1},{2}}");
  EXPECT_FALSE(encode_value(kInt4Array, Format::kBinary, {std::string("{{1},{2}}")}).has_value());
  EXPECT_FALSE(encode_value(kInt4Array, Format::kText, {std::string("{a}")}).has_value());
  EXPECT_FALSE(encode_value(kInt4Array, Format::kText, {std::string("1")}).has_value());
}

TEST(Values, BytesOfTheWrongLengthAreNothing) {
  for (const std::uint32_t type :
       std::initializer_list<std::uint32_t>{kBool, kInt2, kInt4, kInt8, kFloat4, kDate, kTimestamp,
                                            kUuid, kTime, kTimeTz, kInterval, 1007}) {
    EXPECT_FALSE(text_of_binary(type, "abc").has_value()) << type;
  }
}

TEST(Values, NaturalTypes) {
  EXPECT_EQ(natural_type({true}), kBool);
  EXPECT_EQ(natural_type({std::int64_t{1}}), kInt8);
  EXPECT_EQ(natural_type({1.5}), kFloat8);
  EXPECT_EQ(natural_type({std::string("x")}), kText);
}

}  // namespace
}  // namespace misrule::codecs::postgres
