#include "codecs/postgres/to_server.h"

#include <chrono>

#include <gtest/gtest.h>

#include "tests/codecs/postgres/rig.h"

namespace misrule::codecs::postgres {
namespace {

using namespace std::chrono_literals;
using Kind = Owed::Kind;

class ToServerTest : public ::testing::Test {
 protected:
  ToServerTest() {
    session_.phase = Session::Phase::kMessages;
    host_.decide_as = on_subject("faulted", poison());
  }

  std::vector<Kind> owed() {
    std::vector<Kind> kinds;
    for (const Owed& entry : session_.ledger.take_all()) kinds.push_back(entry.kind);
    return kinds;
  }

  RecordingHost host_;
  Session session_{host_, {.text_bytes_max = 16}};
  ToServer to_server_{session_};
};

TEST_F(ToServerTest, OwesOneAnswerPerRequest) {
  const std::string requests =
      wire::query("x") + wire::parse("", "x") + wire::bind("", "") + wire::describe_statement("") +
      wire::describe_portal("") + wire::execute() + wire::close_statement("a") +
      wire::message('C', std::string("Pa\0", 3)) + wire::message('F', "call") + wire::flush() +
      wire::message('p', "secret") + wire::copy_data("x") + wire::sync();
  EXPECT_EQ(to_server_.walk(requests).pass, requests.size());
  EXPECT_EQ(owed(),
            (std::vector<Kind>{Kind::kQuery, Kind::kParse, Kind::kBind, Kind::kDescribeStatement,
                               Kind::kDescribePortal, Kind::kExecute, Kind::kCloseStatement,
                               Kind::kClosePortal, Kind::kFunctionCall, Kind::kSync}));
}

TEST_F(ToServerTest, WaitsForATextUpToItsBound) {
  const std::string bytes = wire::query(std::string(100, 'x'));
  Step step = to_server_.walk(ByteView(bytes).substr(0, 3));
  EXPECT_EQ(step.pass, 0U);
  EXPECT_EQ(step.need, 5U);
  step = to_server_.walk(ByteView(bytes).substr(0, 10));
  EXPECT_EQ(step.need, 5U + 16U);
  step = to_server_.walk(ByteView(bytes).substr(0, 21));
  EXPECT_EQ(step.pass, 21U);
  EXPECT_EQ(host_.log.back(), "decide 1 Query xxxxxxxxxxxxxxxx");
  EXPECT_EQ(to_server_.walk(ByteView(bytes).substr(21)).pass, bytes.size() - 21);
}

TEST_F(ToServerTest, LongBindIsNotGathered) {
  const std::string bytes = wire::message('B', std::string(20'000, '\0'));
  const Step step = to_server_.walk(ByteView(bytes).substr(0, 5 + 16 * kKiB));
  EXPECT_EQ(step.pass, 5 + 16 * kKiB) << "the parameters stream";
}

TEST_F(ToServerTest, DropsTheRestOfALongStatementThatFails) {
  session_.ledger.push({.kind = Kind::kQuery});
  const std::string bytes = wire::query("faulted " + std::string(100, 'x'));
  Step step = to_server_.walk(ByteView(bytes).substr(0, 30));
  const auto& substitute = std::get<Substitute>(step.act.value());
  EXPECT_EQ(substitute.bytes, 21U);
  EXPECT_EQ(substitute.with, wire::query(kPoison));
  step = to_server_.walk(ByteView(bytes).substr(21));
  EXPECT_EQ(std::get<Substitute>(step.act.value()).bytes, bytes.size() - 21);
  EXPECT_EQ(std::get<Substitute>(step.act.value()).with, "");
}

TEST_F(ToServerTest, HeldStatementIsNamedUntilItIsReleased) {
  host_.decide_as = [](const Facts&) { return hold_request(1s); };
  const std::string bytes = wire::query("x");
  const Step step = to_server_.walk(bytes);
  EXPECT_EQ(std::get<Hold>(step.act.value()).unit, 1U);
  EXPECT_EQ(to_server_.held_unit(), 1U);
  to_server_.released(Released::kDue);
  EXPECT_FALSE(to_server_.held_unit().has_value());
  EXPECT_EQ(to_server_.walk(bytes).pass, bytes.size());
  EXPECT_EQ(host_.decided, 1U);
}

TEST_F(ToServerTest, ReleaseOfNothingIsHarmless) {
  to_server_.released(Released::kCancelled);
  to_server_.ended();
  EXPECT_TRUE(host_.log.empty());
}

/// Bind of one parameter to the statement "s".
std::string bind_of(const std::string& value) {
  std::string body("\0s\0\0\0\0\1", 7);
  append_u32(body, static_cast<std::uint32_t>(value.size()));
  body += value;
  append_u16(body, 0);
  return wire::message('B', body);
}

/// Fails what has a first parameter that ends in "wanted".
Verb poison_wanted(const Facts& facts) {
  const bool is_wanted = facts.details != nullptr &&
                         facts.details->any(Detail::kParameter, "1", [](std::string_view value) {
                           return value.ends_with("wanted");
                         });
  return is_wanted ? poison() : Verb{};
}

TEST(LongValues, AreReadIfARuleAsksForThem) {
  const std::string sent = bind_of(std::string(100 * kKiB, 'x') + "wanted");
  for (const bool asks : {false, true}) {
    Rig rig(poison_wanted);
    if (asks) rig.host.wanted = {Detail::kParameter};
    rig.client(wire::parse("s", "select $1"));
    const std::size_t before = rig.pump.to_server().size();
    rig.pump.feed(Direction::kToServer, sent.substr(0, 50'000));
    EXPECT_EQ(rig.pump.to_server().size() == before, asks) << "it is waited for";
    rig.pump.feed(Direction::kToServer, sent.substr(50'000) + wire::execute());
    EXPECT_EQ(rig.pump.to_server().contains("misrule_fault_7"), asks);
  }
}

TEST(LongValues, BeyondTheBoundTheyStreamAndAreNotKnown) {
  Rig rig(poison_wanted, {.bound_bytes_max = 50'000});
  rig.host.wanted = {Detail::kParameter};
  rig.client(wire::parse("s", "select $1"));
  const std::string sent = bind_of(std::string(100 * kKiB, 'x') + "wanted");
  rig.pump.feed(Direction::kToServer, sent.substr(0, 20'000));
  EXPECT_GT(rig.pump.to_server().size(), 16 * kKiB);
  rig.pump.feed(Direction::kToServer, sent.substr(20'000) + wire::execute());
  EXPECT_FALSE(rig.pump.to_server().contains("misrule_fault_7"));
  EXPECT_EQ(rig.host.decided, 1U);
}

}  // namespace
}  // namespace misrule::codecs::postgres
