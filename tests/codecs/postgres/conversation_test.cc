// What a conversation remembers: names, transactions, COPY, and when it gives up decoding.

#include <gmock/gmock.h>

#include "codecs/postgres/ledger.h"
#include "tests/codecs/postgres/rig.h"

namespace misrule::codecs::postgres {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using wire::complete;
using wire::error;
using wire::message;
using wire::query;
using wire::ready;
using wire::sync;

/// The last thing that was decided, after `statement` was executed.
std::string executed_as(Rig& rig, std::string_view statement) {
  rig.client(wire::bind("", statement) + wire::execute() + sync());
  for (auto line = rig.host.log.rbegin(); line != rig.host.log.rend(); ++line) {
    if (line->starts_with("decide")) return line->substr(line->find(' ', 7) + 1);
  }
  return "";
}

TEST(Startup, EncryptionIsRefusedAndTheSessionGoesOn) {
  RecordingHost host;
  const auto conversation = make_conversation(host);
  Pump pump(*conversation);
  pump.feed(Direction::kToServer, wire::ssl_request() + wire::ssl_request() + wire::startup());
  EXPECT_EQ(pump.to_client(), "NN");
  EXPECT_EQ(pump.to_server(), wire::startup());
  EXPECT_FALSE(host.opaque.has_value());
}

TEST(Startup, WhatIsNoPostgresIsCarriedUndecoded) {
  RecordingHost host;
  const auto conversation = make_conversation(host);
  Pump pump(*conversation);
  pump.feed(Direction::kToServer, "\x16\x03\x01 hello");
  pump.feed(Direction::kToClient, "anything");
  EXPECT_EQ(pump.to_server(), "\x16\x03\x01 hello");
  EXPECT_EQ(pump.to_client(), "anything");
  EXPECT_EQ(host.opaque, "from the client: no Postgres startup packet");
}

TEST(Startup, ReplicationIsCarriedAsItIs) {
  RecordingHost host;
  const auto conversation = make_conversation(host);
  Pump pump(*conversation);
  const std::string first = wire::startup({{"user", "app"}, {"replication", "database"}});
  pump.feed(Direction::kToServer, first + query("START_REPLICATION"));
  pump.feed(Direction::kToClient, message('R') + message('W') + message('d', "wal"));
  EXPECT_EQ(pump.to_server(), first + query("START_REPLICATION"));
  EXPECT_EQ(host.decided, 0U);
  EXPECT_FALSE(host.opaque.has_value());
}

TEST(Facts, SayWhoAndInWhichState) {
  std::vector<std::string> seen;
  Rig rig([&seen](const Facts& facts) {
    seen.push_back(std::string(facts.user) + "@" + std::string(facts.database) + " " +
                   std::string(facts.state) + " " + std::string(facts.text));
    return Verb{};
  });
  rig.client(query("BEGIN") + query("select 1"));
  rig.server(complete("BEGIN") + ready('T') + error("22012", "zero") + ready('E'));
  rig.client(query("select 2"));
  rig.server(error("25P02", "aborted") + ready('E'));
  rig.client(query("ROLLBACK") + query("select 3"));
  EXPECT_THAT(seen, ElementsAre("app@shop idle BEGIN", "app@shop transaction select 1",
                                "app@shop failed select 2", "app@shop failed ROLLBACK",
                                "app@shop idle select 3"));
}

TEST(Names, AreKnownBeforeTheServerAgrees) {
  Rig rig;
  rig.client(wire::parse("", "select 1") + wire::bind("", "") + wire::execute() +
             wire::parse("", "select 2") + wire::bind("", "") + wire::execute() + sync());
  EXPECT_THAT(rig.host.log, ElementsAre("decide 1 Execute select 1", "decide 2 Execute select 2"));
}

TEST(Names, RefusedParseLeavesTheOldStatement) {
  Rig rig;
  rig.client(wire::parse("s", "select 1") + sync());
  rig.server(message('1') + ready());
  rig.client(wire::parse("s", "select 2") + sync());
  rig.server(error("42P05", "exists already") + ready());
  EXPECT_EQ(executed_as(rig, "s"), "Execute select 1");
}

TEST(Names, ParseThatTheServerSkippedChangesNothing) {
  Rig rig;
  rig.client(wire::parse("", "select 1") + sync());
  rig.server(message('1') + ready());
  rig.client(wire::parse("bad", "selec") + wire::parse("", "select 2") + sync());
  rig.server(error("42601", "syntax error") + ready());
  EXPECT_EQ(executed_as(rig, ""), "Execute select 1");
}

TEST(Names, AreClosedAndDeallocated) {
  Rig rig;
  rig.client(wire::parse("a", "select 1") + wire::parse("b", "select 2") +
             wire::parse("c", "select 3") + sync());
  rig.server(message('1') + message('1') + message('1') + ready());
  rig.client(wire::close_statement("a") + sync() + query("DEALLOCATE b"));
  rig.server(message('3') + ready() + complete("DEALLOCATE") + ready());
  const std::size_t before = rig.host.decided;
  executed_as(rig, "a");
  executed_as(rig, "b");
  EXPECT_EQ(rig.host.decided, before) << "the server will refuse both";
  EXPECT_EQ(executed_as(rig, "c"), "Execute select 3");
  Rig other;
  other.client(wire::parse("a", "select 1") + sync() + query("DISCARD ALL"));
  other.server(message('1') + ready() + complete("DISCARD ALL") + ready());
  executed_as(other, "a");
  EXPECT_EQ(other.host.decided, 1U);
}

TEST(Names, SqlAndProtocolShareThem) {
  Rig rig;
  rig.client(query("PREPARE pay(int) AS INSERT INTO payments VALUES ($1)"));
  rig.server(complete("PREPARE") + ready());
  EXPECT_EQ(executed_as(rig, "pay"), "Execute insert into payments values ($1)");
  rig.server(message('2') + complete("INSERT 0 1") + ready());
  rig.client(query("EXECUTE Pay(1)"));
  EXPECT_EQ(rig.host.log.back(), "decide 3 Query insert into payments values ($1)");
}

TEST(Names, SimpleQueryTakesTheUnnamedStatementAway) {
  Rig rig;
  rig.client(wire::parse("", "select 1") + sync() + query("select 2"));
  rig.server(message('1') + ready() + complete("SELECT 1") + ready());
  executed_as(rig, "");
  EXPECT_EQ(rig.host.decided, 1U);
}

TEST(Names, AreCutWhereTheServerCutsThem) {
  Rig rig;
  rig.client(wire::parse(std::string(63, 'n') + "1", "select 1") + sync());
  EXPECT_EQ(executed_as(rig, std::string(63, 'n') + "2"), "Execute select 1");
}

TEST(Names, TextsBeyondTheBoundAreForgotten) {
  Rig rig({}, {.registry_bytes_max = 20});
  rig.client(wire::parse("a", "select 1") + wire::parse("b", "select 2") + sync());
  EXPECT_EQ(executed_as(rig, "a"), "Execute select 1");
  EXPECT_EQ(executed_as(rig, "b"), "Execute ") << "counted, and matched by nothing";
}

TEST(Portals, SecondExecuteFetchesMoreOfTheSame) {
  Rig rig;
  rig.client(wire::parse("", "select 1") + wire::bind("p", "") + wire::execute("p", 2) +
             wire::execute("p", 2) + sync());
  rig.server(message('1') + message('2') + wire::row("1") + wire::row("2") + message('s') +
             wire::row("3") + complete("SELECT 1") + ready());
  EXPECT_EQ(rig.host.decided, 1U);
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 portal suspended did"));
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(Copy, SyncsWithinItOweNothing) {
  Rig rig;
  // What libpq sends: a Sync up front, which the server reads as part of the COPY, and one behind.
  rig.client(wire::parse_bind_execute("copy t from stdin") + sync());
  rig.server(message('1') + message('2') + message('G', std::string(3, '\0')));
  rig.client(wire::copy_data("1\n") + wire::flush() + sync() + message('c') + sync());
  EXPECT_EQ(rig.server(complete("COPY 1") + ready()), "C(COPY 1) Z(I)");
  rig.client(query("select 1"));
  rig.server(complete("SELECT 1") + ready());
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 COPY 1 did", "exchanged 2 SELECT 1 did"));
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(Copy, AllAtOnceWithoutWaiting) {
  Rig rig;
  rig.client(wire::parse_bind_execute("copy t from stdin") + sync() + wire::copy_data("1\n") +
             message('c') + sync() + query("select 1"));
  rig.server(message('1') + message('2') + message('G', std::string(3, '\0')) + complete("COPY 1") +
             ready() + complete("SELECT 1") + ready());
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 COPY 1 did", "exchanged 2 SELECT 1 did"));
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(Copy, FailureLeavesTheRestOfTheDataBehind) {
  Rig rig;
  rig.client(wire::parse_bind_execute("copy t from stdin"));
  rig.server(message('1') + message('2') + message('G', std::string(3, '\0')));
  rig.client(wire::copy_data("bad\n"));
  rig.server(error("22P02", "invalid input"));
  rig.client(wire::copy_data("2\n") + message('c') + sync());
  EXPECT_EQ(rig.server(ready()), "Z(I)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 ERROR 22P02: invalid input did_not failed"));
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(Copy, DataStreamUnbuffered) {
  Rig rig;
  rig.client(query("copy t from stdin"));
  rig.server(message('G', std::string(3, '\0')));
  const std::string data = wire::copy_data(std::string(1'000'000, 'x'));
  rig.pump.feed(Direction::kToServer, data.substr(0, 5));
  EXPECT_TRUE(rig.pump.unread(Direction::kToServer).empty()) << "the header alone flows";
  rig.pump.feed(Direction::kToServer, data.substr(5, 1));
  EXPECT_TRUE(rig.pump.unread(Direction::kToServer).empty());
}

TEST(Unasked, NoticesAndSettingsBelongToNobody) {
  Rig rig;
  rig.client(query("set application_name = 'x'"));
  const std::string setting = message('S', std::string("application_name\0x\0", 19));
  EXPECT_EQ(rig.server(message('N', std::string(1, '\0')) + complete("SET") + setting +
                       message('A', std::string("\0\0\0\1a\0b\0", 8)) + ready()),
            "N C(SET) S A Z(I)");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(FunctionCall, IsAnsweredAndReady) {
  Rig rig;
  rig.client(message('F', "body") + query("select 1"));
  rig.server(message('V', "body") + ready() + complete("SELECT 1") + ready());
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 SELECT 1 did"));
}

TEST(Opaque, UnknownTypeFlowsOn) {
  Rig rig;
  rig.client(query("select 1"));
  const std::string strange = message('!', "strange") + "and anything";
  rig.pump.feed(Direction::kToServer, strange);
  EXPECT_TRUE(rig.pump.to_server().ends_with(strange));
  EXPECT_EQ(rig.host.opaque, "from the client: message type 0x21 is unknown");
  EXPECT_THAT(rig.told(), Contains("exchanged 1 not decoded unknown failed"));
  rig.pump.feed(Direction::kToClient, "xyz");
  EXPECT_TRUE(rig.pump.to_client().ends_with("xyz"));
}

TEST(Opaque, AnswerThatNobodyWaitsFor) {
  Rig rig;
  EXPECT_EQ(rig.server(complete("SELECT 1")), "C(SELECT 1)");
  EXPECT_THAT(rig.host.opaque.value_or(""), HasSubstr("message 'C', but nothing was asked"));
  Rig other;
  other.client(wire::parse("", "select 1"));
  EXPECT_EQ(other.server(message('2')), "2");
  EXPECT_THAT(other.host.opaque.value_or(""), HasSubstr("another answer is due"));
}

TEST(Opaque, ImpossibleLength) {
  Rig rig;
  rig.pump.feed(Direction::kToClient, std::string("D\0\0\0\x03", 5));
  EXPECT_THAT(rig.host.opaque.value_or(""), HasSubstr("length 3 of message 'D'"));
}

TEST(Opaque, HeldStatementFlowsOnWhenItsTimeIsOver) {
  Rig rig(on_subject("select 1", hold_request(Duration(1))));
  rig.client(query("select 1"));
  rig.server("?");
  EXPECT_TRUE(rig.host.opaque.has_value());
  rig.pump.release(Direction::kToServer);
  EXPECT_EQ(rig.at_server(), "Q(select 1)");
  EXPECT_THAT(rig.told(), ElementsAre("opaque from the server: message type 0x3f is unknown",
                                      "exchanged 1 not decoded unknown failed"));
}

TEST(Opaque, IsToldOnce) {
  const Limits limits{.owed_bytes_max = 1};
  Rig rig(on_subject("commit", poison()), limits);
  rig.client(wire::parse_bind_execute("commit") + sync());
  EXPECT_TRUE(rig.host.opaque.has_value());
}

TEST(Opaque, MoreOwedThanIsKept) {
  const Limits limits{.owed_bytes_max = 3 * sizeof(Owed)};
  Rig rig({}, limits);
  rig.client(sync() + sync() + sync());
  EXPECT_FALSE(rig.host.opaque.has_value());
  rig.client(sync());
  EXPECT_EQ(rig.host.opaque, "4 requests wait for an answer, which are too many to remember");
}

TEST(Opaque, NotForALongBatch) {
  constexpr std::size_t kThousands = 300;
  Rig rig;
  std::string asked;
  std::string answered;
  for (int i = 0; i < 1'000; ++i) {
    asked += wire::bind("", "s");
    answered += wire::message('2');
  }
  asked += wire::execute();
  answered += complete("SELECT 1");
  rig.pump.feed(Direction::kToServer, wire::parse("s", "select 1"));
  for (std::size_t i = 0; i < kThousands; ++i) rig.pump.feed(Direction::kToServer, asked);
  rig.pump.feed(Direction::kToServer, sync());
  EXPECT_EQ(rig.host.decided, kThousands);
  rig.pump.feed(Direction::kToClient, wire::message('1'));
  for (std::size_t i = 0; i < kThousands; ++i) rig.pump.feed(Direction::kToClient, answered);
  rig.pump.feed(Direction::kToClient, ready());
  EXPECT_FALSE(rig.host.opaque.has_value());
  EXPECT_EQ(rig.host.exchanges.size(), kThousands);
}

}  // namespace
}  // namespace misrule::codecs::postgres
