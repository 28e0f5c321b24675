#include "controller/compile/rules_file.h"

namespace misrule::controller {
namespace {

using model::Rule;

TEST(DescribeRule, SaysWhatItMeetsAndWhatHappens) {
  Rule error;
  error.mutable_postgres()->set_query("INSERT INTO payments*");
  error.mutable_error()->set_code("40001");
  error.mutable_error()->set_message("serialization_failure");
  EXPECT_EQ(describe_rule(error), "INSERT INTO payments* -> 40001 serialization_failure");

  Rule deny;
  deny.mutable_syscall()->set_family("connect");
  deny.mutable_syscall()->mutable_to()->set_service("db");
  deny.mutable_deny()->set_error("ECONNREFUSED");
  EXPECT_EQ(describe_rule(deny), "connect to db -> ECONNREFUSED");
  deny.mutable_syscall()->mutable_to()->set_interface("main");
  EXPECT_EQ(describe_rule(deny), "connect to db.main -> ECONNREFUSED");

  Rule write;
  write.mutable_syscall()->set_family("write");
  write.mutable_syscall()->set_path("*/pg_wal/*");
  write.mutable_delay()->set_duration_us(1500);
  EXPECT_EQ(describe_rule(write), "write */pg_wal/* -> delay 1500 us");

  Rule http;
  http.mutable_http()->set_path("/orders*");
  http.mutable_delay()->set_duration_us(250'000);
  http.mutable_delay()->set_side("reply");
  EXPECT_EQ(describe_rule(http), "/orders* -> delay 250 ms of the reply");
  http.mutable_http()->set_method("GET");
  http.mutable_error()->set_status(503);
  EXPECT_EQ(describe_rule(http), "GET /orders* -> 503");

  Rule drop;
  drop.mutable_tcp();
  drop.mutable_drop();
  EXPECT_EQ(describe_rule(drop), "any connection -> drop the connection");
  Rule lost;
  lost.mutable_redis()->set_channel("news");
  lost.mutable_drop();
  EXPECT_EQ(describe_rule(lost), "a message in news -> drop the message");
  EXPECT_EQ(describe_rule(Rule()), "any traffic -> recorded");
}

TEST(DescribeRule, IsOneLine) {
  Rule rule;
  rule.mutable_postgres()->set_query("SELECT\n*");
  rule.mutable_drop();
  EXPECT_EQ(describe_rule(rule), "SELECT * -> drop the connection");
}

}  // namespace
}  // namespace misrule::controller
