#include "codecs/redis/told_values.h"

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

TEST(ToldValues, OneByOne) {
  ToldValues values("*3\r\n:-2\r\n$2\r\nab\r\n+OK\r\n");
  EXPECT_EQ(values.array(), 3U);
  EXPECT_EQ(values.number(), -2);
  EXPECT_EQ(values.text(), "ab");
  EXPECT_EQ(values.text(), "OK");
  EXPECT_FALSE(values.failed());
  EXPECT_TRUE(values.at_end());
}

TEST(ToldValues, WhatIsOfAnotherKindIsPassedBy) {
  ToldValues values("*2\r\n*1\r\n:1\r\n$1\r\nx\r\n:5\r\n$-1\r\n*-1\r\n+end\r\n");
  EXPECT_EQ(values.number(), std::nullopt);
  EXPECT_EQ(values.number(), 5);
  EXPECT_EQ(values.text(), std::nullopt);
  EXPECT_EQ(values.array(), std::nullopt);
  EXPECT_EQ(values.text(), "end");
  EXPECT_FALSE(values.failed());
}

TEST(ToldValues, WhatCannotBeFailsForGood) {
  for (const char* const wrong :
       {"", "*", "*1", "*9\r\n", "$5\r\nab\r\n", "$x\r\n", "*-2\r\n:1\r\n", "%1\r\n+a\r\n+b\r\n",
        "$99999999999999999999\r\n", "\r\n", "$1\r\na", "*99999\r\n+a\r\n"}) {
    ToldValues values(wrong);
    values.skip();
    EXPECT_TRUE(values.failed()) << wrong;
    EXPECT_EQ(values.number(), std::nullopt);
    EXPECT_EQ(values.array(), std::nullopt);
  }
}

// A nesting of any depth takes no stack.
TEST(ToldValues, DeepNesting) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "*1\r\n";
  ToldValues values(deep += ":1\r\n+next\r\n");
  values.skip();
  EXPECT_EQ(values.text(), "next");
}

}  // namespace
}  // namespace misrule::codecs::redis
