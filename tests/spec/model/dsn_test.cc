#include "spec/model/dsn.h"

#include <gtest/gtest.h>

namespace misrule::model {
namespace {

TEST(Dsn, NamesUserServerAndDatabase) {
  const auto dsn = find_dsn("postgres://app:s%40crt@localhost:5433/shop?sslmode=disable");
  ASSERT_TRUE(dsn.has_value());
  EXPECT_EQ(dsn->user, "app");
  EXPECT_EQ(dsn->password, "s@crt");
  EXPECT_EQ(dsn->host, "localhost");
  EXPECT_EQ(dsn->port, 5433);
  EXPECT_EQ(dsn->database, "shop");
}

TEST(Dsn, PartsMayBeMissing) {
  const auto dsn = find_dsn("postgresql://localhost");
  ASSERT_TRUE(dsn.has_value());
  EXPECT_EQ(dsn->user, "");
  EXPECT_EQ(dsn->port, 5432);
  EXPECT_EQ(dsn->database, "");
}

TEST(Dsn, OtherTextIsNone) {
  EXPECT_FALSE(find_dsn("on").has_value());
  EXPECT_FALSE(find_dsn("localhost:8080").has_value());
  EXPECT_FALSE(find_dsn("postgres:///shop").has_value());
  EXPECT_FALSE(find_dsn("mysql://a@localhost:5432/b").has_value());
  EXPECT_FALSE(find_dsn("").has_value());
}

TEST(Dsn, ItMayStandInsideALongerText) {
  const auto dsn = find_dsn("--url='postgres://app@localhost/shop' --retry");
  ASSERT_TRUE(dsn.has_value());
  EXPECT_EQ(dsn->database, "shop");
}

Service database(std::vector<std::pair<std::string, std::string>> env = {}) {
  return {.name = "db",
          .interfaces = {{.name = "pg", .protocol = Protocol::kPostgres, .port = 5432}},
          .image = "postgres:16",
          .env = std::move(env)};
}

TEST(Dsn, S0_7_S1_1_S1_10_WhatTheEnvironmentDoesNotCreateIsMissing) {
  EXPECT_EQ(uncreated_by(database(), "postgres://test@localhost/shop"),
            (Uncreated{.role = "test", .database = "shop"}));
  EXPECT_EQ(uncreated_by(database(), "postgres://test@127.0.0.1:5432"),
            (Uncreated{.role = "test", .database = "test"}))
      << "a client that names none means the one that is called as its role";
  EXPECT_EQ(uncreated_by(database({{"POSTGRES_USER", "test"}}), "postgres://test@localhost/shop"),
            (Uncreated{.database = "shop"}));
  EXPECT_EQ(uncreated_by(database({{"POSTGRES_USER", "a"}, {"POSTGRES_DB", "b"}}),
                         "postgres://a@localhost/b"),
            std::nullopt);
  EXPECT_EQ(uncreated_by(database(), "postgres://test@localhost:5433/shop"), std::nullopt);
  EXPECT_EQ(uncreated_by(database(), "postgres://test@elsewhere/shop"), std::nullopt);
}

TEST(Dsn, S0_7_OnlyAnImagesEnvironmentIsKnown) {
  Topology topology = {.services = {database()}};
  EXPECT_EQ(doubt_about_env(topology, "URL", "postgres://a@localhost/b"),
            "URL names role \"a\" and database \"b\", which the env of db does not create");
  EXPECT_EQ(doubt_about_env(topology, "URL", "postgres://postgres@localhost/postgres"),
            std::nullopt);
  topology.services[0].image.clear();
  EXPECT_EQ(doubt_about_env(topology, "URL", "postgres://a@localhost/b"), std::nullopt);
}

}  // namespace
}  // namespace misrule::model
