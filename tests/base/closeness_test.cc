#include "base/closeness.h"

#include <string>

#include <gtest/gtest.h>

namespace misrule {
namespace {

TEST(Closeness, IsTheShareOfTheGlobsOwnCharacters) {
  EXPECT_EQ(closeness("/payments", "/payments"), kClosest);
  EXPECT_EQ(closeness("/tmp/meant", "/tmp/other"), 500U);
  EXPECT_EQ(closeness("/payments", "orders"), 0U);
  EXPECT_EQ(closeness("", "/x"), 0U);
  EXPECT_EQ(closeness("/x", ""), 0U);
}

TEST(Closeness, WildcardsStandForAnything) {
  EXPECT_EQ(closeness("*/pg_wal/*", "/var/lib/pg_wal/0001"), kClosest);
  EXPECT_EQ(closeness("/a?c", "/abc"), kClosest);
  EXPECT_EQ(closeness("*?*", "/anything"), 0U);
  EXPECT_EQ(closeness("*orders*", "SELECT FROM order_items"), 833U) << "5 of 6";
}

TEST(Closeness, WhatStandsFirstInTheGlobStandsFirstInTheText) {
  EXPECT_EQ(closeness("/data/*", "/var/data/x"), 166U) << "only the slash";
  EXPECT_EQ(closeness("*/data/*", "/var/data/x"), kClosest);
}

TEST(Closeness, PiecesCountInTheGlobsOrder) {
  EXPECT_EQ(closeness("*ab*cd*", "xxcdxxabxx"), 500U);
  EXPECT_EQ(closeness("*ab*cd*", "xxabxxcdxx"), kClosest);
  EXPECT_GT(closeness("/db/*.wal", "/db/1.tmp"), closeness("/db/*.wal", "/log/1.tmp"));
}

TEST(Closeness, LettersCaseDoesNotMatterAndABackslashQuotes) {
  EXPECT_EQ(closeness("INSERT INTO*", "insert into t"), kClosest);
  EXPECT_EQ(closeness("\\*x", "*x"), kClosest);
}

}  // namespace
}  // namespace misrule
