// Statements that are held: by their time, by their rule, by the clocks and cancels of a server.

#include <chrono>

#include <gmock/gmock.h>

#include "tests/codecs/postgres/rig.h"

namespace misrule::codecs::postgres {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using wire::complete;
using wire::error;
using wire::message;
using wire::query;
using wire::ready;
using wire::sync;

constexpr auto kToServer = Direction::kToServer;
constexpr auto kToClient = Direction::kToClient;
const std::string kServersError = error("42703", "column does not exist");

TEST(Hold, FlowsWhenItsTimeIsOver) {
  Rig rig(on_subject("select 1", hold_request(3s)));
  EXPECT_EQ(rig.client(query("select 1") + query("select 2")), "");
  ASSERT_TRUE(rig.pump.held(kToServer).has_value());
  EXPECT_EQ(rig.pump.held(kToServer)->for_at_most, 3s);
  rig.pump.release(kToServer);
  EXPECT_EQ(rig.at_server(), "Q(select 1) Q(select 2)");
  EXPECT_EQ(rig.host.decided, 2U);
  EXPECT_FALSE(rig.conversation->held_unit().has_value());
}

TEST(Hold, NotificationsFlowMeanwhile) {
  Rig rig(on_subject("select 1", hold_request(3s)));
  rig.client(query("select 1"));
  EXPECT_EQ(rig.server(message('A', std::string("\0\0\0\1a\0b\0", 8))), "A");
}

TEST(Hold, EndsWithItsRule) {
  Verb verb = poison();
  verb.hold = 3s;
  Rig rig(on_subject("select 1", verb));
  rig.client(query("select 1"));
  rig.pump.release(kToServer, Released::kRuleEnded);
  EXPECT_EQ(rig.at_server(), "Q(select 1)");
  EXPECT_THAT(rig.told(), ElementsAre("hold_ended 1 rule_ended"));
}

TEST(Hold, EachStatementOfAStringInItsTurn) {
  Rig rig([](const Facts&) { return hold_request(1s); });
  rig.client(query("select 1; select 2"));
  EXPECT_EQ(rig.pump.held(kToServer)->unit, 1U);
  rig.pump.release(kToServer);
  EXPECT_EQ(rig.pump.held(kToServer)->unit, 2U);
  EXPECT_EQ(rig.at_server(), "");
  rig.pump.release(kToServer);
  EXPECT_EQ(rig.at_server(), "Q(select 1; select 2)");
}

TEST(Hold, CancelledStatementFailsAtTheServer) {
  Rig rig(on_subject("select 1", hold_request(5s)));
  rig.client(query("select 1"));
  rig.pump.release(kToServer, Released::kCancelled);
  EXPECT_EQ(rig.at_server(), "Q(SELECT misrule_fault_7)");
  EXPECT_EQ(rig.server(kServersError + ready()),
            "E(ERROR 57014 canceling statement due to user request) Z(I)");
  EXPECT_THAT(
      rig.told(),
      ElementsAre("hold_ended 1 cancelled",
                  "exchanged 1 ERROR 57014: canceling statement due to user request did_not "
                  "failed"));
}

TEST(Hold, CancelledExecuteFailsAtTheServer) {
  Rig rig(on_subject("select 1", hold_request(5s)));
  EXPECT_EQ(rig.client(wire::parse_bind_execute("select 1") + sync()), "P(: select 1) B");
  rig.pump.release(kToServer, Released::kCancelled);
  EXPECT_EQ(rig.at_server(), "P(_misrule: SELECT misrule_fault_7) S");
}

TEST(Hold, RollbackCannotBeCancelled) {
  Rig rig(on_subject("rollback", hold_request(5s)));
  rig.client(query("rollback"));
  rig.pump.release(kToServer, Released::kCancelled);
  EXPECT_EQ(rig.at_server(), "Q(rollback)");
}

TEST(Hold, ObeysAStatementTimeoutThatWasSet) {
  Rig rig(on_subject("select 1", hold_request(5s)));
  rig.client(query("SET statement_timeout = '2s'"));
  rig.server(complete("SET") + ready());
  rig.client(query("select 1"));
  EXPECT_EQ(rig.pump.held(kToServer)->for_at_most, 2s);
  rig.pump.release(kToServer);
  EXPECT_EQ(rig.at_server(), "Q(SELECT misrule_fault_7)");
  rig.at_client();
  EXPECT_EQ(rig.server(kServersError + ready()),
            "E(ERROR 57014 canceling statement due to statement timeout) Z(I)");
}

TEST(Hold, TimeoutThatIsLongerThanTheHoldChangesNothing) {
  Rig rig(on_subject("select 1", hold_request(5s)));
  rig.client(query("SET statement_timeout = '9s'"));
  rig.server(complete("SET") + ready());
  rig.client(query("select 1"));
  EXPECT_EQ(rig.pump.held(kToServer)->for_at_most, 5s);
  rig.pump.release(kToServer);
  EXPECT_EQ(rig.at_server(), "Q(select 1)");
}

TEST(Hold, ObeysATimeoutOfTheStartupPacket) {
  RecordingHost host;
  host.decide_as = on_subject("select 1", hold_request(5s));
  const auto conversation = make_conversation(host);
  Pump pump(*conversation);
  pump.feed(kToServer, wire::startup({{"user", "app"}, {"options", "-c statement_timeout=1500"}}));
  pump.feed(kToClient, wire::welcome());
  pump.feed(kToServer, query("select 1"));
  ASSERT_TRUE(pump.held(kToServer).has_value());
  EXPECT_EQ(pump.held(kToServer)->for_at_most, 1500ms);
}

TEST(Hold, FailedSetIsNotObeyed) {
  Rig rig(on_subject("select 1", hold_request(5s)));
  rig.client(query("SET statement_timeout = '2s'; select nosuch"));
  rig.server(complete("SET") + error("42703", "no column") + ready());
  rig.client(query("select 1"));
  EXPECT_EQ(rig.pump.held(kToServer)->for_at_most, 5s);
}

TEST(Hold, WhatIsHeldWhileSomethingBeforeItFailsIsNotRun) {
  Rig rig(on_subject("select 2", hold_request(5s)));
  rig.client(wire::parse_bind_execute("select 1") + wire::parse_bind_execute("select 2") + sync() +
             wire::parse_bind_execute("select 3") + sync());
  rig.server(message('1') + message('2') + error("22012", "division by zero"));
  rig.at_server();
  rig.pump.release(kToServer);
  EXPECT_EQ(rig.at_server(), "E S P(: select 3) B E S");
  rig.server(ready() + message('1') + message('2') + complete("SELECT 1") + ready());
  EXPECT_THAT(rig.told(),
              ElementsAre("exchanged 1 ERROR 22012: division by zero did_not failed",
                          "exchanged 2 not run: an earlier statement failed did_not failed",
                          "exchanged 3 SELECT 1 did"));
  EXPECT_FALSE(rig.host.opaque);
}

TEST(HoldReply, LetsTheServerWork) {
  Rig rig(on_subject("select 2", hold_reply(3s)));
  EXPECT_EQ(rig.client(query("select 1; select 2; select 3")), "Q(select 1; select 2; select 3)");
  EXPECT_EQ(
      rig.server(complete("SELECT 1") + complete("SELECT 2") + complete("SELECT 3") + ready()),
      "C(SELECT 1)");
  ASSERT_TRUE(rig.pump.held(kToClient).has_value());
  EXPECT_EQ(rig.pump.held(kToClient)->unit, 2U);
  EXPECT_EQ(rig.client(query("select 4")), "Q(select 4)") << "requests flow on";
  rig.pump.release(kToClient);
  EXPECT_EQ(rig.at_client(), "C(SELECT 2) C(SELECT 3) Z(I)");
}

TEST(HoldReply, HoldsAnErrorAsWell) {
  Verb verb = poison();
  verb.hold = 3s;
  verb.hold_reply = true;
  Rig rig(on_subject("select 1", verb));
  EXPECT_EQ(rig.client(wire::parse_bind_execute("select 1") + sync()),
            "P(: select 1) B P(_misrule: SELECT misrule_fault_7) S");
  EXPECT_EQ(rig.server(message('1') + message('2') + kServersError + ready()), "1 2");
  rig.pump.release(kToClient);
  EXPECT_EQ(rig.at_client(), "E(ERROR 40001 fault) Z(I)");
}

TEST(Hold, IsToldAsNotDoneWhenTheClientLeaves) {
  Rig rig(on_subject("select 1", hold_request(5s)));
  rig.client(query("select 1"));
  rig.pump.end(kToServer);
  rig.pump.end(kToClient);
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 connection closed did_not failed"));
}

TEST(Cancel, EndsAHoldInsteadOfReachingTheServer) {
  RecordingHost host;
  host.held_key = "pidpkey1";
  const auto conversation = make_conversation(host);
  Pump pump(*conversation);
  pump.feed(kToServer, wire::cancel_request("pidpkey1"));
  EXPECT_TRUE(pump.closed());
  EXPECT_EQ(pump.to_server(), "");
}

TEST(Cancel, ReachesTheServerWhenNothingIsHeld) {
  RecordingHost host;
  const auto conversation = make_conversation(host);
  Pump pump(*conversation);
  pump.feed(kToServer, wire::cancel_request("pidpkey1"));
  EXPECT_EQ(pump.to_server(), wire::cancel_request("pidpkey1"));
  EXPECT_FALSE(pump.closed());
}

TEST(Cancel, KeyIsKnownFromTheServer) {
  Rig rig;
  EXPECT_EQ(rig.host.cancel_key, "pidpkey1");
}

}  // namespace
}  // namespace misrule::codecs::postgres
