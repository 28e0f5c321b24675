// connect(): redirected through a duplicate of the socket, refused, denied, delayed, or untouched.

#include <cerrno>
#include <chrono>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/interceptor/harness.h"

namespace misrule::interceptor {
namespace {

using ::testing::HasSubstr;

constexpr std::uint16_t kDeclaredPort = 25432;  // Nobody listens there.

ServiceRun connect_program(const std::string& form, std::uint16_t port,
                           const std::string& mode = "block", int expected_errno = 0) {
  return {.argv = {program("connect"), form, std::to_string(port), mode,
                   std::to_string(expected_errno)}};
}

class ConnectForms : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(ConnectForms, AreRedirectedToTheProxy) {
  const auto& [form, mode] = GetParam();
  Bench bench;
  GreetingServer proxy("proxy");
  // The control: without a route the same program meets a closed port.
  const Ended control = bench.run(connect_program(form, kDeclaredPort, "block", ECONNREFUSED));
  EXPECT_THAT(control.output, HasSubstr("EXIT-SUCCESS"));
  bench.router.redirect(kDeclaredPort, proxy.port(), "db");
  const Ended ended = bench.run(connect_program(form, kDeclaredPort, mode));
  EXPECT_THAT(ended.output, HasSubstr("greeting proxy"));
  EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench.router.opened(), 1U);
  EXPECT_EQ(proxy.accepted(), 1U);
}

INSTANTIATE_TEST_SUITE_P(All, ConnectForms,
                         ::testing::Combine(::testing::Values("4", "6", "mapped", "any"),
                                            ::testing::Values("block", "nonblock")));

TEST(Connect, UndeclaredIsUntouchedAndReported) {
  Bench bench;
  GreetingServer server("server");
  const Ended ended = bench.run(connect_program("4", server.port()));
  EXPECT_THAT(ended.output, HasSubstr("greeting server"));
  const auto events = bench.sink.of_type("syscall");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(text_of(events[0], "to"), fmt::format("127.0.0.1:{}", server.port()));
  EXPECT_EQ(text_of(events[0], "decision"), "allow");
  EXPECT_EQ(events[0].service, "api");
}

TEST(Connect, ARefusingServerLooksRefused) {
  Bench bench;
  bench.router.refuse(kDeclaredPort, ECONNREFUSED, "db");
  const Ended ended = bench.run(connect_program("4", kDeclaredPort, "block", ECONNREFUSED));
  EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
}

TEST(Connect, IsDeniedWithTheErrnoGiven) {
  Bench bench;
  GreetingServer proxy("proxy");
  bench.router.redirect(kDeclaredPort, proxy.port(), "db");
  bench.arm({deny(rule_on("db_down", "connect"), "EHOSTUNREACH")});
  const Ended ended = bench.run(connect_program("4", kDeclaredPort, "block", EHOSTUNREACH));
  EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench.tally("db_down").fired, 1U);
  const auto events = bench.sink.of_type("syscall");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(text_of(events[0], "to"), "db");
  EXPECT_EQ(text_of(events[0], "decision"), "deny(EHOSTUNREACH)");
  EXPECT_EQ(text_of(events[0], "rule"), "db_down");
  EXPECT_EQ(proxy.accepted(), 0U);
}

TEST(Connect, ToNarrows) {
  Bench bench;
  GreetingServer proxy("proxy");
  bench.router.redirect(kDeclaredPort, proxy.port(), "api");
  auto rule = deny(rule_on("db_down", "connect"), "ECONNREFUSED");
  rule.mutable_syscall()->mutable_to()->set_service("db");
  bench.arm({rule});
  const Ended ended = bench.run(connect_program("4", kDeclaredPort));
  EXPECT_THAT(ended.output, HasSubstr("greeting proxy"));
  const auto tally = bench.tally("db_down");
  EXPECT_EQ(tally.fired, 0U);
  EXPECT_EQ(tally.considered, 1U);
  ASSERT_EQ(tally.near_misses.size(), 1U);
  EXPECT_EQ(tally.near_misses[0], "1x connect to api.main");
}

TEST(Connect, IsDelayedAndThenRedirected) {
  Bench bench;
  GreetingServer proxy("proxy");
  bench.router.redirect(kDeclaredPort, proxy.port(), "db");
  bench.arm({delay(rule_on("slow", "connect"), 300)});
  const auto begin = std::chrono::steady_clock::now();
  const Ended ended = bench.run(connect_program("4", kDeclaredPort));
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_THAT(ended.output, HasSubstr("greeting proxy"));
  EXPECT_GE(took, std::chrono::milliseconds(300));
  EXPECT_EQ(bench.tally("slow").fired, 1U);
}

// The event loop that connects goes on: the call answers at once, the socket is ready when it
// should.
TEST(Connect, ANonBlockingOneIsDelayedWithoutHanging) {
  Bench bench;
  GreetingServer proxy("proxy");
  bench.router.redirect(kDeclaredPort, proxy.port(), "db");
  const ServiceRun run = {.argv = {program("slow_connect"), std::to_string(kDeclaredPort)}};
  const auto values = [&] {
    std::istringstream words(bench.run(run).output);
    double call_ms = -1;
    double ready_ms = -1;
    std::string end;
    words >> call_ms >> ready_ms >> end;
    EXPECT_EQ(end, "EXIT-SUCCESS");
    return std::pair(call_ms, ready_ms);
  };
  EXPECT_LT(values().second, 500);
  bench.arm({delay(rule_on("slow", "connect"), 1200)});
  const auto [call_ms, ready_ms] = values();
  EXPECT_LT(call_ms, 500);
  EXPECT_GE(ready_ms, 1199);
  EXPECT_LT(ready_ms, 3000);
  EXPECT_EQ(proxy.accepted(), 2U);
  EXPECT_EQ(bench.tally("slow").fired, 1U);
}

TEST(Connect, ASecondCallAsksHowTheFirstOneGoes) {
  Bench bench;
  GreetingServer proxy("proxy");
  bench.router.redirect(kDeclaredPort, proxy.port(), "db");
  const Ended ended =
      bench.run({.argv = {program("connect_again"), std::to_string(kDeclaredPort)}});
  EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench.router.opened(), 1U);
}

TEST(Connect, UdpAndUnixSocketsAreLeftAlone) {
  const TestFolder folder;
  Bench bench;
  bench.router.redirect(kDeclaredPort, 1, "db");
  const ServiceRun run = {
      .argv = {program("other_sockets"), std::to_string(kDeclaredPort), folder.path() + "/socket"}};
  EXPECT_THAT(bench.run(run).output, HasSubstr("EXIT-SUCCESS"));
  bench.arm({deny(rule_on("down", "connect"), "ECONNREFUSED")});
  EXPECT_THAT(bench.run(run).output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench.tally("down").fired, 0U);
  EXPECT_GE(bench.tally("down").considered, 2U);
  bench.arm({deny(rule_on("socket", "connect", "*/socket"), "ECONNREFUSED")});
  EXPECT_EQ(bench.run(run).exit_code, 1);
  EXPECT_EQ(bench.tally("socket").fired, 1U);
}

}  // namespace
}  // namespace misrule::interceptor
