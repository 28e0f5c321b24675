#include "codecs/postgres/details.h"

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

bool has(const Details& details, Detail what, std::string_view key, std::string_view wanted) {
  return details.any(what, key, [wanted](std::string_view value) { return value == wanted; });
}

TEST(Details, OfASimpleQuery) {
  const Statement statement{.raw = "SELECT  a FROM shop.t", .normal = "select a from shop.t"};
  const StatementDetails details(statement, nullptr, "named");
  EXPECT_TRUE(has(details, Detail::kText, "", "SELECT  a FROM shop.t"));
  EXPECT_TRUE(has(details, Detail::kText, "", "select a from shop.t"));
  EXPECT_TRUE(has(details, Detail::kTable, "", "t"));
  EXPECT_TRUE(has(details, Detail::kTable, "", "shop.t"));
  EXPECT_TRUE(has(details, Detail::kSchema, "", "shop"));
  EXPECT_TRUE(has(details, Detail::kColumn, "", "a"));
  EXPECT_TRUE(has(details, Detail::kStatement, "", "SELECT"));
  EXPECT_TRUE(has(details, Detail::kPrepared, "", "named"));
  EXPECT_FALSE(has(details, Detail::kParameter, "1", ""));
  EXPECT_FALSE(has(details, Detail::kHost, "", ""));
}

TEST(Details, BoundValues) {
  Named portal;
  portal.prepared = std::make_shared<Named>();
  portal.prepared->asked_parameters = std::string("\0\0\0\x17\0\0\0\0", 8);
  // Formats binary and text; values int4 7 and "x".
  portal.bound = std::string("\0\2\0\1\0\0\0\2\0\0\0\4\0\0\0\7\0\0\0\1x\0\0", 23);
  const Statement statement;
  const StatementDetails details(statement, &portal, "");
  EXPECT_TRUE(has(details, Detail::kParameter, "1", "7"));
  EXPECT_TRUE(has(details, Detail::kParameter, "2", "x"));
  EXPECT_FALSE(has(details, Detail::kParameter, "3", ""));
  EXPECT_FALSE(has(details, Detail::kParameter, "0", ""));
  EXPECT_FALSE(has(details, Detail::kPrepared, "", ""));
}

}  // namespace
}  // namespace misrule::codecs::postgres
