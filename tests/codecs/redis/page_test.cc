#include "codecs/redis/page.h"

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

const std::string kPage = "*2\r\n$2\r\n17\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n";

TEST(RedisPage, EachEditChangesItsPart) {
  EXPECT_EQ(edited_page(kPage, {{"cursor", Value{std::string("0")}}}, false),
            "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(edited_page(kPage, {{"keys", Value{ValueList{}}}}, false), "*2\r\n$2\r\n17\r\n*0\r\n");
  EXPECT_EQ(edited_page(kPage, {{"repeat", Value{true}}}, false),
            "*2\r\n$2\r\n17\r\n*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\na\r\n$1\r\nb\r\n");
  const ValueMap one_less = {{"missing", Value{std::int64_t{1}}}};
  EXPECT_EQ(edited_page(kPage, one_less, false), "*2\r\n$2\r\n17\r\n*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(edited_page(kPage, one_less, true), "*2\r\n$2\r\n17\r\n*0\r\n");
  EXPECT_EQ(edited_page(kPage, {}, false), kPage);
  EXPECT_TRUE(is_page_edit("missing"));
  EXPECT_FALSE(is_page_edit("key"));
}

TEST(RedisPage, WhatIsNoneIsLeftAlone) {
  for (const std::string& other : {std::string("*0\r\n"), std::string("$1\r\na\r\n"),
                                   kPage.substr(0, 20), std::string("*2\r\n$1\r\n0\r\n:1\r\n")}) {
    EXPECT_EQ(edited_page(other, {}, false), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace misrule::codecs::redis
