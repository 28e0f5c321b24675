#include "base/glob.h"

#include <gtest/gtest.h>

namespace misrule {
namespace {

TEST(Glob, StarCrossesSlashes) {
  const Glob glob("*/pg_wal/*");
  EXPECT_TRUE(glob.matches("/var/lib/db/pg_wal/0001"));
  EXPECT_FALSE(glob.matches("/var/lib/db/base/0001"));
  EXPECT_FALSE(glob.matches("pg_wal/0001"));
}

TEST(Glob, QuestionMarkIsExactlyOne) {
  EXPECT_TRUE(Glob("a?c").matches("abc"));
  EXPECT_FALSE(Glob("a?c").matches("ac"));
  EXPECT_FALSE(Glob("a?c").matches("abbc"));
}

TEST(Glob, StarsTakeMoreOnlyWhenTheyMust) {
  EXPECT_TRUE(Glob("*ab*ab").matches("xabyabzab"));
  EXPECT_FALSE(Glob("*ab*ab").matches("xabz"));
  EXPECT_TRUE(Glob("***").matches(""));
}

TEST(Glob, BackslashMakesTheNextLiteral) {
  EXPECT_TRUE(Glob(R"(a\*b)").matches("a*b"));
  EXPECT_FALSE(Glob(R"(a\*b)").matches("axb"));
}

TEST(Glob, CaseIsTheCallersChoice) {
  EXPECT_TRUE(Glob("INSERT*", GlobCase::kInsensitive).matches("insert into t"));
  EXPECT_FALSE(Glob("INSERT*").matches("insert into t"));
}

TEST(Glob, ManyStarsStayAffordable) {
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "*a";
  EXPECT_FALSE(Glob(pattern + "b").matches(std::string(2000, 'a')));
}

}  // namespace
}  // namespace misrule
