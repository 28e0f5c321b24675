#include "controller/launch/dsn.h"

#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

TEST(Dsn, NamesUserServerAndDatabase) {
  const auto dsn = parse_dsn("postgres://app:s%40crt@localhost:5433/shop?sslmode=disable");
  ASSERT_TRUE(dsn.has_value());
  EXPECT_EQ(dsn->scheme, "postgres");
  EXPECT_EQ(dsn->user, "app");
  EXPECT_EQ(dsn->password, "s@crt");
  EXPECT_EQ(dsn->host, "localhost");
  EXPECT_EQ(dsn->port, 5433);
  EXPECT_EQ(dsn->database, "shop");
}

TEST(Dsn, PartsMayBeMissing) {
  const auto dsn = parse_dsn("postgresql://localhost");
  ASSERT_TRUE(dsn.has_value());
  EXPECT_EQ(dsn->user, "");
  EXPECT_EQ(dsn->port, 0);
  EXPECT_EQ(dsn->database, "");
}

TEST(Dsn, OtherTextIsNone) {
  EXPECT_FALSE(parse_dsn("on").has_value());
  EXPECT_FALSE(parse_dsn("localhost:8080").has_value());
  EXPECT_FALSE(parse_dsn("postgres:///shop").has_value());
  EXPECT_FALSE(parse_dsn("").has_value());
}

}  // namespace
}  // namespace misrule::controller
