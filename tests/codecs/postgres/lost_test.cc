// Replies that do not reach the client although the server did what was asked, and messages that
// are lost on the way.

#include <gmock/gmock.h>

#include "tests/codecs/postgres/rig.h"

namespace misrule::codecs::postgres {
namespace {

using ::testing::ElementsAre;
using wire::complete;
using wire::error;
using wire::message;
using wire::query;
using wire::ready;
using wire::sync;

Verb mask() {
  Verb verb = poison();
  verb.kind = Verb::Kind::kMask;
  return verb;
}

Verb lose() {
  Verb verb = close_verb();
  verb.kind = Verb::Kind::kLose;
  return verb;
}

Verb lost_for_good(bool reply) {
  Verb verb = close_verb();
  if (reply) verb.kind = Verb::Kind::kLose;
  verb.hold = std::chrono::hours(1);
  verb.hold_reply = reply;
  verb.hold_is_loss = true;
  return verb;
}

const std::string kInserted = wire::columns("id") + wire::row("1") + complete("INSERT 0 1");

TEST(Mask, TellsAnErrorInPlaceOfTheSuccess) {
  Rig rig(on_subject("insert", mask()));
  EXPECT_EQ(rig.client(query("insert into t values (1) returning id")),
            "Q(insert into t values (1) returning id)");
  EXPECT_EQ(rig.server(kInserted + ready()), "E(ERROR 40001 fault) Z(I)");
  EXPECT_THAT(rig.told(),
              ElementsAre("exchanged 1 ERROR 40001: fault in place of INSERT 0 1 did failed"));
  EXPECT_EQ(rig.client(query("select 77")), "Q(select 77)");
  EXPECT_EQ(rig.server(wire::columns("a") + wire::row("77") + complete("SELECT 1") + ready()),
            "T D C(SELECT 1) Z(I)");
}

TEST(Mask, InTheExtendedProtocolNothingFollowsUntilSync) {
  Rig rig(on_subject("insert", mask()));
  rig.client(wire::parse_bind_execute("insert into t values (1)") +
             wire::parse_bind_execute("select 2") + sync() + wire::parse_bind_execute("select 3") +
             sync());
  const std::string prepared = message('1') + message('2');
  EXPECT_EQ(rig.server(prepared + complete("INSERT 0 1") + prepared + wire::row("2") +
                       complete("SELECT 1") + ready() + prepared + wire::row("3") +
                       complete("SELECT 1") + ready()),
            "1 2 E(ERROR 40001 fault) Z(I) 1 2 D C(SELECT 1) Z(I)");
  EXPECT_FALSE(rig.host.opaque);
}

TEST(Mask, TheServersOwnErrorIsTold) {
  Rig rig(on_subject("insert", mask()));
  rig.client(query("insert into t values (1)"));
  EXPECT_EQ(rig.server(error("23505", "duplicate key") + ready()),
            "E(ERROR 23505 duplicate key) Z(I)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 ERROR 23505: duplicate key did_not failed"));
}

TEST(Mask, OneOfSeveralStatementsKeepsWhatCameBefore) {
  Rig rig(on_subject("insert", mask()));
  rig.client(query("select 1; insert into t values (1); select 3"));
  const std::string one = wire::columns("a") + wire::row("1") + complete("SELECT 1");
  EXPECT_EQ(rig.server(one + complete("INSERT 0 1") + one + ready()),
            "T D C(SELECT 1) E(ERROR 40001 fault) Z(I)");
  EXPECT_THAT(rig.told(),
              ElementsAre("exchanged 1 SELECT 1 did",
                          "exchanged 2 ERROR 40001: fault in place of INSERT 0 1 did failed",
                          "exchanged 3 SELECT 1 did"));
}

TEST(Mask, BehindItNoOtherErrorIsTold) {
  for (const Verb& second : {mask(), poison()}) {
    const auto decide = [second](const Facts& facts) {
      return facts.subject.starts_with("insert") ? mask() : second;
    };
    const bool is_poisoned = second.kind == Verb::Kind::kPoison;
    const std::string failed = error("42703", "column \"misrule_fault_7\" does not exist");
    const std::string then = is_poisoned ? failed : complete("SELECT 1");
    Rig query_rig(decide);
    query_rig.client(query("insert into t values (1); select 2"));
    EXPECT_EQ(query_rig.server(kInserted + then + ready()), "E(ERROR 40001 fault) Z(I)");
    Rig rig(decide);
    rig.client(wire::parse_bind_execute("insert into t values (1)") +
               wire::parse_bind_execute("select 2") + sync());
    const std::string prepared = message('1') + message('2');
    EXPECT_EQ(rig.server(prepared + complete("INSERT 0 1") + prepared + then + ready()),
              "1 2 E(ERROR 40001 fault) Z(I)");
    EXPECT_EQ(rig.host.exchanges.size(), 2U);
  }
}

Verb masked_or_made_up(const Facts& facts) {
  if (facts.subject.starts_with("insert")) return mask();
  const ReplyPlan plan = {.columns = {"a"}, .rows = {{Value{std::string("made up")}}}};
  return {.kind = Verb::Kind::kRespond, .plan = std::make_shared<const ReplyPlan>(plan)};
}

TEST(Mask, BehindItNothingIsMadeUp) {
  Rig rig(masked_or_made_up);
  rig.client(wire::parse_bind_execute("insert into t values (1)") + wire::parse("", "select 2") +
             wire::bind("", "") + wire::describe_portal("") + wire::execute() + sync());
  const std::string prepared = message('1') + message('2');
  EXPECT_EQ(rig.server(prepared + complete("INSERT 0 1") + prepared + wire::columns("a") + ready()),
            "1 2 E(ERROR 40001 fault) Z(I)");
  EXPECT_THAT(rig.told(),
              ElementsAre("exchanged 1 ERROR 40001: fault in place of INSERT 0 1 did failed",
                          "exchanged 2 not run: an earlier statement failed did_not failed"));
}

TEST(Mask, BehindItNothingIsMadeUpAtOnceEither) {
  Rig rig(masked_or_made_up);
  const std::string prepared = message('1') + message('2');
  rig.client(wire::parse_bind_execute("insert into t values (1)"));
  EXPECT_EQ(rig.server(prepared + complete("INSERT 0 1")), "1 2 E(ERROR 40001 fault)");
  rig.client(wire::parse("", "select 2") + wire::bind("", "") + wire::describe_portal(""));
  EXPECT_EQ(rig.server(prepared + wire::columns("a")), "") << "no Sync has come, nothing is owed";
  rig.client(wire::execute() + sync());
  EXPECT_EQ(rig.server(ready()), "Z(I)");
  EXPECT_THAT(rig.told(),
              ElementsAre("exchanged 1 ERROR 40001: fault in place of INSERT 0 1 did failed",
                          "exchanged 2 not run: an earlier statement failed did_not failed"));
}

TEST(Lose, TheConnectionEndsOnceTheServerIsDone) {
  Rig rig(on_subject("insert", lose()));
  EXPECT_EQ(rig.client(query("insert into t values (1)")), "Q(insert into t values (1))");
  EXPECT_EQ(rig.server(kInserted), "");
  EXPECT_FALSE(rig.pump.closed()) << "the transaction may not have ended yet";
  EXPECT_EQ(rig.server(ready()), "");
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_THAT(rig.told(),
              ElementsAre("exchanged 1 connection closed in place of INSERT 0 1 did failed"));
}

TEST(Lose, InTheExtendedProtocolTheSyncIsWaitedFor) {
  Rig rig(on_subject("insert", lose()));
  rig.client(wire::parse_bind_execute("insert into t values (1)") + sync());
  EXPECT_EQ(rig.server(message('1') + message('2') + complete("INSERT 0 1")), "1 2");
  EXPECT_FALSE(rig.pump.closed());
  rig.server(ready());
  EXPECT_TRUE(rig.pump.closed());
}

TEST(Lose, WithoutASyncOnItsWayNothingIsWaitedFor) {
  Rig rig(on_subject("insert", lose()));
  rig.client(wire::parse_bind_execute("insert into t values (1)") + wire::flush());
  EXPECT_EQ(rig.server(message('1') + message('2') + complete("INSERT 0 1")), "1 2");
  EXPECT_TRUE(rig.pump.closed());
}

TEST(Lose, ACopyThatWaitsForItsClientEndsAtOnce) {
  Rig rig(on_subject("copy", lose()));
  rig.client(query("copy t from stdin"));
  EXPECT_EQ(rig.server(message('G', std::string_view("\0\0\0", 3))), "");
  EXPECT_TRUE(rig.pump.closed());
}

TEST(Lost, ARequestIsHeldWhateverTheClocksSayAndThenTheConnectionEnds) {
  Rig rig(on_subject("insert", lost_for_good(false)));
  EXPECT_EQ(rig.client(query("insert into t values (1)") + query("select 2")), "");
  ASSERT_TRUE(rig.pump.held(Direction::kToServer));
  EXPECT_FALSE(rig.pump.held(Direction::kToServer)->cancellable);
  rig.pump.release(Direction::kToServer, Released::kRuleEnded);
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_EQ(rig.at_server(), "") << "nothing that was lost comes back";
}

TEST(Lost, AReplyIsHeldAndThenTheConnectionEnds) {
  Rig rig(on_subject("insert", lost_for_good(true)));
  EXPECT_EQ(rig.client(query("insert into t values (1)")), "Q(insert into t values (1))");
  EXPECT_EQ(rig.server(complete("INSERT 0 1") + ready()), "");
  ASSERT_TRUE(rig.pump.held(Direction::kToClient));
  EXPECT_FALSE(rig.pump.held(Direction::kToClient)->cancellable);
  rig.pump.release(Direction::kToClient, Released::kRuleEnded);
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_EQ(rig.at_client(), "");
}

}  // namespace
}  // namespace misrule::codecs::postgres
