#include "codecs/postgres/statement_timeout.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

using namespace std::chrono_literals;

TEST(StatementTimeout, ReadsTheServersUnits) {
  EXPECT_EQ(parse_timeout("1500"), 1500ms);
  EXPECT_EQ(parse_timeout("'2s'"), 2s);
  EXPECT_EQ(parse_timeout("1.5 s"), 1500ms);
  EXPECT_EQ(parse_timeout("3min"), 3min);
  EXPECT_EQ(parse_timeout("0"), 0s);
  EXPECT_EQ(parse_timeout("2147483647"), 2147483647ms);
  EXPECT_EQ(parse_timeout("2147483648"), std::nullopt);
  EXPECT_EQ(parse_timeout("-1"), std::nullopt);
  EXPECT_EQ(parse_timeout("soon"), std::nullopt);
}

TEST(StatementTimeout, ComesFromTheStartupPacket) {
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string, std::string>>{
           {"statement_timeout", "2s"},
           {"options", "-c search_path=x -c statement_timeout=2000"},
           {"options", "-cstatement_timeout=2s"},
           {"options", "--statement-timeout=2s"}}) {
    StatementTimeout timeout;
    timeout.start({{"user", "app"}, {name, value}});
    EXPECT_EQ(timeout.value(), 2s) << value;
  }
}

TEST(StatementTimeout, FollowsSetAndTransactions) {
  StatementTimeout timeout;
  timeout.start({{"options", "-c statement_timeout=9s"}});
  timeout.carried_out("SET statement_timeout = '2s'");
  timeout.transaction_ended(true);
  EXPECT_EQ(timeout.value(), 2s);
  timeout.carried_out("set session statement_timeout to 500");
  EXPECT_EQ(timeout.value(), 500ms);
  timeout.transaction_ended(false);
  EXPECT_EQ(timeout.value(), 2s) << "a rollback takes SET back";
  timeout.carried_out("SET LOCAL statement_timeout = 0");
  EXPECT_EQ(timeout.value(), 0s);
  timeout.transaction_ended(true);
  EXPECT_EQ(timeout.value(), 2s);
  timeout.carried_out("SET lock_timeout = '7s'");
  EXPECT_EQ(timeout.value(), 2s);
  timeout.carried_out("RESET statement_timeout");
  EXPECT_EQ(timeout.value(), 9s);
  timeout.carried_out("SET statement_timeout = '1s'");
  timeout.carried_out("DISCARD ALL");
  EXPECT_EQ(timeout.value(), 9s);
}

}  // namespace
}  // namespace misrule::codecs::postgres
