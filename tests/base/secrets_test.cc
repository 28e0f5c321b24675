#include "base/secrets.h"

#include <gtest/gtest.h>

namespace misrule {
namespace {

TEST(Secrets, APasswordIsMaskedHoweverItIsQuoted) {
  EXPECT_EQ(without_passwords("alter role r Password 'it''s' valid until 'x'"),
            "alter role r Password '***' valid until 'x'");
  EXPECT_EQ(without_passwords("CREATE ROLE a PASSWORD 'one'; CREATE ROLE b PASSWORD E'two'"),
            "CREATE ROLE a PASSWORD '***'; CREATE ROLE b PASSWORD E'***'");
  EXPECT_EQ(without_passwords("create role a password 'unfinished"),
            "create role a password '***'");
  EXPECT_EQ(without_passwords("create role a password $$o'ne$$ login"),
            "create role a password '***' login");
  EXPECT_EQ(without_passwords("create role a password $x$two$y$x$"),
            "create role a password '***'");
  EXPECT_EQ(without_passwords("create role a password $x$unfinished"),
            "create role a password '***'");
}

TEST(Secrets, WhatIsNoPasswordStays) {
  for (const char* sql : {"select password from users", "select 1", "",
                          "update users set password = $1 where id = $2", "select password"}) {
    EXPECT_EQ(without_passwords(sql), sql);
  }
}

}  // namespace
}  // namespace misrule
