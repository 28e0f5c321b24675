#include "codecs/postgres/arrays.h"

#include <gtest/gtest.h>

#include "codecs/postgres/values.h"

namespace misrule::codecs::postgres {
namespace {

TEST(Arrays, TextThereAndBack) {
  const std::pair<const char*, Elements> cases[] = {
      {"{}", {}},
      {"{1,2,3}", {"1", "2", "3"}},
      {"{NULL,\"NULL\",\"\"}", {std::nullopt, "NULL", ""}},
      {R"({"a b","c,d","{e}","f\"g","h\\i"})", {"a b", "c,d", "{e}", "f\"g", "h\\i"}},
  };
  for (const auto& [text, elements] : cases) {
    const auto parsed = parse_array(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(*parsed, elements) << text;
    EXPECT_EQ(array_text(elements), text);
  }
}

TEST(Arrays, AsPeopleWriteThem) {
  EXPECT_EQ(parse_array(" { 1 , null , x y , \\N\\U } "),
            (Elements{"1", std::nullopt, "x y", "NU"}));
  EXPECT_EQ(parse_array("{ }"), Elements{});
}

TEST(Arrays, WhatIsNone) {
  for (const char* text : {"", "1,2", "{", "{1", "{1,", "{1,}", "{,1}", "{{1},{2}}", "[0:1]={1,2}",
                           "{1}x", "{\"a}", "{a\"b\"}", "{\\", "{\"\\"}) {
    EXPECT_FALSE(parse_array(text).has_value()) << text;
  }
}

TEST(Arrays, BinaryAsTheServerSendsIt) {
  const std::string one(
      "\0\0\0\1\0\0\0\1\0\0\0\x17\0\0\0\2\0\0\0\1\0\0\0\4\0\0\0\7\xff\xff\xff\xff", 32);
  const Elements elements{std::string("\0\0\0\7", 4), std::nullopt};
  EXPECT_EQ(encode_array(kInt4, elements), one);
  EXPECT_EQ(decode_array(kInt4, one), elements);
  const std::string none("\0\0\0\0\0\0\0\0\0\0\0\x17", 12);
  EXPECT_EQ(encode_array(kInt4, {}), none);
  EXPECT_EQ(decode_array(kInt4, none), Elements{});
  EXPECT_FALSE(decode_array(kInt8, one).has_value()) << "of another type";
  for (std::size_t cut = 0; cut < one.size(); ++cut) {
    EXPECT_FALSE(decode_array(kInt4, ByteView(one).substr(0, cut)).has_value()) << cut;
  }
}

TEST(Arrays, HostileCountsTakeNoMemory) {
  const std::string huge("\0\0\0\1\0\0\0\0\0\0\0\x17\xff\xff\xff\xff\0\0\0\1", 20);
  EXPECT_FALSE(decode_array(kInt4, huge).has_value());
}

TEST(Arrays, ElementTypes) {
  EXPECT_EQ(element_type(1007), kInt4);
  EXPECT_EQ(element_type(2951), kUuid);
  EXPECT_EQ(element_type(kInt4), 0U);
}

}  // namespace
}  // namespace misrule::codecs::postgres
