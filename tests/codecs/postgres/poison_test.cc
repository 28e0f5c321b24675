// Each row of the table in codecs/postgres/README.md: what the server gets in a statement's place,
// and what the client hears. The server's lines are what PostgreSQL 15 says there.

#include <gmock/gmock.h>

#include "tests/codecs/postgres/rig.h"

namespace misrule::codecs::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using wire::complete;
using wire::error;
using wire::message;
using wire::query;
using wire::ready;
using wire::sync;

const std::string kServersError = error("42703", "column \"misrule_fault_7\" does not exist");

TEST(Poison, ControlWithoutTheRule) {
  Rig rig;
  EXPECT_EQ(rig.client(query("INSERT INTO t VALUES (1)")), "Q(INSERT INTO t VALUES (1))");
  EXPECT_EQ(rig.server(complete("INSERT 0 1") + ready()), "C(INSERT 0 1) Z(I)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 INSERT 0 1 did"));
  ASSERT_EQ(rig.host.exchanges.size(), 1U);
  EXPECT_EQ(rig.host.exchanges[0].rows, 1);
}

TEST(Poison, OnlyStatementOfAQuery) {
  Rig rig(on_subject("insert into t", poison()));
  EXPECT_EQ(rig.client(query("/* x */ INSERT INTO t VALUES (1);")), "Q(SELECT misrule_fault_7)");
  EXPECT_EQ(rig.server(kServersError + ready('E')), "E(ERROR 40001 fault) Z(E)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 ERROR 40001: fault did_not failed"));
  EXPECT_EQ(rig.host.exchanges[0].tag, 7U);
  EXPECT_EQ(rig.host.exchanges[0].code, "40001");
}

TEST(Poison, NextQueryIsUntouched) {
  Rig rig(on_subject("insert", poison()));
  rig.client(query("INSERT INTO t VALUES (1)") + query("select 77"));
  EXPECT_EQ(rig.server(kServersError + ready() + wire::columns("a") + wire::row("77") +
                       complete("SELECT 1") + ready()),
            "E(ERROR 40001 fault) Z(I) T D C(SELECT 1) Z(I)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 ERROR 40001: fault did_not failed",
                                      "exchanged 2 SELECT 1 did"));
}

TEST(Poison, ErrorAndReadyForQueryLeaveAtOnce) {
  Rig rig(on_subject("copy t", poison()));
  rig.client(query("COPY t FROM STDIN"));
  EXPECT_EQ(rig.server(kServersError), "") << "it waits for what always follows";
  const std::string ready_bytes = ready();
  EXPECT_EQ(rig.server(ready_bytes.substr(0, 5)), "");
  const Step step = [&] {
    Rig other(on_subject("copy t", poison()));
    other.client(query("COPY t FROM STDIN"));
    return other.conversation->walk(Direction::kToClient, kServersError + ready_bytes);
  }();
  ASSERT_TRUE(step.act.has_value());
  const auto& at_once = std::get<Substitute>(*step.act);
  EXPECT_EQ(at_once.bytes, kServersError.size() + ready_bytes.size());
  EXPECT_EQ(wire::spoken(at_once.with, Sender::kServer), "E(ERROR 40001 fault) Z(I)");
  EXPECT_EQ(rig.server(ready_bytes.substr(5)), "E(ERROR 40001 fault) Z(I)");
}

TEST(Poison, ErrorOfAServerThatDiesBehindItIsTold) {
  Rig rig(on_subject("insert", poison()));
  rig.client(query("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(rig.server(kServersError), "");
  rig.pump.end(Direction::kToClient);
  EXPECT_EQ(rig.at_client(), "E(ERROR 40001 fault)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 ERROR 40001: fault did_not failed"));
}

TEST(Poison, KthOfSeveralStatements) {
  Rig rig(on_subject("select 2", poison()));
  EXPECT_EQ(rig.client(query("insert into t values (';'); SELECT 2; select 3")),
            "Q(insert into t values (';'); SELECT misrule_fault_7; select 3)");
  EXPECT_EQ(rig.server(complete("INSERT 0 1") + kServersError + ready()),
            "C(INSERT 0 1) E(ERROR 40001 fault) Z(I)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 INSERT 0 1 did",
                                      "exchanged 2 ERROR 40001: fault did_not failed"));
  EXPECT_EQ(rig.host.decided, 2U) << "what stands behind a failure is not executed";
}

TEST(Poison, EarlierFailureOfAStringIsTheServersOwn) {
  Rig rig(on_subject("select 2", poison()));
  rig.client(query("select 1/0; select 2"));
  EXPECT_EQ(rig.server(error("22012", "division by zero") + ready()),
            "E(ERROR 22012 division by zero) Z(I)");
  EXPECT_THAT(rig.told(),
              ElementsAre("exchanged 1 ERROR 22012: division by zero did_not failed",
                          "exchanged 2 not run: an earlier statement failed did_not failed"));
}

TEST(Poison, ExecuteByTheTextItWasPreparedWith) {
  Rig rig(on_subject("update t", poison()));
  rig.client(wire::parse("s1", "UPDATE t SET a = $1") + sync());
  rig.server(message('1') + ready());
  EXPECT_EQ(rig.host.decided, 0U) << "preparing executes nothing";
  EXPECT_EQ(rig.client(wire::bind("", "s1") + wire::execute() + sync()),
            "B P(_misrule: SELECT misrule_fault_7) S");
  EXPECT_EQ(rig.server(message('2') + kServersError + ready()), "2 E(ERROR 40001 fault) Z(I)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 ERROR 40001: fault did_not failed"));
}

TEST(Poison, SegmentOfAPipelineIsSkippedByTheServer) {
  Rig rig(on_subject("select 2", poison()));
  EXPECT_EQ(
      rig.client(wire::parse_bind_execute("select 1") + wire::parse_bind_execute("select 2") +
                 wire::parse_bind_execute("select 3") + sync() +
                 wire::parse_bind_execute("select 4") + sync()),
      "P(: select 1) B E P(: select 2) B P(_misrule: SELECT misrule_fault_7) P(: select 3) B E "
      "S P(: select 4) B E S");
  EXPECT_EQ(rig.server(message('1') + message('2') + wire::row("1") + complete("SELECT 1") +
                       message('1') + message('2') + kServersError + ready() + message('1') +
                       message('2') + wire::row("4") + complete("SELECT 1") + ready()),
            "1 2 D C(SELECT 1) 1 2 E(ERROR 40001 fault) Z(I) 1 2 D C(SELECT 1) Z(I)");
  EXPECT_THAT(
      rig.told(),
      ElementsAre("exchanged 1 SELECT 1 did", "exchanged 2 ERROR 40001: fault did_not failed",
                  "exchanged 3 not run: an earlier statement failed did_not failed",
                  "exchanged 4 SELECT 1 did"));
}

TEST(Poison, WhatIsSentWhileTheServerSkipsIsNotExecuted) {
  Rig rig(on_subject("select 1", poison()));
  rig.client(wire::parse_bind_execute("select 1"));
  rig.server(message('1') + message('2') + kServersError);
  EXPECT_EQ(rig.client(wire::parse_bind_execute("select 2") + query("select 3") + sync()),
            "P(: select 2) B E Q(select 3) S");
  EXPECT_EQ(rig.host.decided, 1U);
  EXPECT_EQ(rig.server(ready()), "Z(I)");
  rig.client(query("select 4"));
  EXPECT_EQ(rig.server(complete("SELECT 1") + ready()), "C(SELECT 1) Z(I)");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(Poison, CommitBecomesRollbackInAQuery) {
  Rig rig(on_subject("commit", poison()));
  rig.client(query("begin"));
  rig.server(complete("BEGIN") + ready('T'));
  EXPECT_EQ(rig.client(query("COMMIT")), "Q(ROLLBACK; SELECT misrule_fault_7)");
  EXPECT_EQ(rig.server(complete("ROLLBACK") + kServersError + ready('I')),
            "E(ERROR 40001 fault) Z(I)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 BEGIN did",
                                      "exchanged 2 ERROR 40001: fault did_not failed"));
}

TEST(Poison, CommitBecomesRollbackWithinAString) {
  Rig rig(on_subject("end", poison()));
  EXPECT_EQ(rig.client(query("begin; insert into t values (1); end; select 1")),
            "Q(begin; insert into t values (1); ROLLBACK; SELECT misrule_fault_7; select 1)");
  EXPECT_EQ(rig.server(complete("BEGIN") + complete("INSERT 0 1") + complete("ROLLBACK") +
                       kServersError + ready('I')),
            "C(BEGIN) C(INSERT 0 1) E(ERROR 40001 fault) Z(I)");
}

TEST(Poison, CommitBecomesRollbackAtExecute) {
  Rig rig(on_subject("commit", poison()));
  EXPECT_EQ(rig.client(wire::parse_bind_execute("COMMIT") + wire::parse_bind_execute("select 2")),
            "P(: COMMIT) B P(_misrule: ROLLBACK) B E C H")
      << "what follows is dropped: the client believes that the server skips";
  EXPECT_EQ(rig.server(message('1') + message('2') + message('1') + message('2') +
                       complete("ROLLBACK") + message('3')),
            "1 2 E(ERROR 40001 fault)")
      << "at once, as a server tells an error before the Sync";
  EXPECT_EQ(rig.client(sync() + query("select 3")), "S Q(select 3)");
  EXPECT_EQ(rig.server(ready('I') + complete("SELECT 1") + ready('I')), "Z(I) C(SELECT 1) Z(I)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 ERROR 40001: fault did_not failed",
                                      "exchanged 2 SELECT 1 did"));
}

TEST(Poison, RollbackIsNeverRefused) {
  Rig rig([](const Facts&) { return poison(); });
  EXPECT_EQ(rig.client(query("ROLLBACK")), "Q(ROLLBACK)");
  EXPECT_EQ(rig.client(query("rollback to s")), "Q(rollback to s)");
}

TEST(Poison, FailedTransactionSpeaksForItself) {
  Rig rig(on_subject("select", poison()));
  rig.client(query("begin"));
  rig.server(complete("BEGIN") + ready('T'));
  rig.client(query("insert into nosuch values (1)"));
  rig.server(error("42P01", "no table") + ready('E'));
  EXPECT_EQ(rig.client(query("select 1")), "Q(select 1)");
  EXPECT_THAT(rig.host.log.back(), testing::StartsWith("skipped 3 a server does not refuse this"));
}

TEST(Poison, FailureOfAnEarlierTransactionIsNotThatOfTheNext) {
  Rig rig(on_subject("select 1", poison()));
  // The client waits for nothing: the second transaction is asked for before the first has failed.
  rig.client(query("begin") + query("bad") + query("rollback") + query("begin"));
  rig.server(complete("BEGIN") + ready('T') + error("42601", "syntax error") + ready('E'));
  EXPECT_EQ(rig.client(query("select 1")), "Q(SELECT misrule_fault_7)");
  EXPECT_EQ(rig.server(complete("ROLLBACK") + ready('I') + complete("BEGIN") + ready('T') +
                       kServersError + ready('E')),
            "C(ROLLBACK) Z(I) C(BEGIN) Z(T) E(ERROR 40001 fault) Z(E)");
}

TEST(Poison, FailureThatIsNotKnownYetSpeaksForItselfToo) {
  Rig rig(on_subject("select", poison()));
  rig.client(query("begin; insert into nosuch values (1)") + query("select 1"));
  EXPECT_EQ(rig.server(complete("BEGIN") + error("42P01", "no table") + ready('E') +
                       error("25P02", "current transaction is aborted") + ready('E')),
            "C(BEGIN) E(ERROR 42P01 no table) Z(E) "
            "E(ERROR 25P02 current transaction is aborted) Z(E)");
}

TEST(Poison, CopyDoesNotBegin) {
  Rig rig(on_subject("copy t from", poison("53100", "disk full")));
  EXPECT_EQ(rig.client(query("COPY t FROM STDIN")), "Q(SELECT misrule_fault_7)");
  EXPECT_EQ(rig.server(kServersError + ready()), "E(ERROR 53100 disk full) Z(I)");
}

TEST(Poison, LongStatementIsMatchedByItsFrontAndDroppedWhole) {
  const Limits limits{.text_bytes_max = 100};
  Rig rig(on_subject("insert into t", poison()), limits);
  const std::string sql = "INSERT INTO t VALUES ('" + std::string(100'000, 'x') + "')";
  EXPECT_EQ(rig.client(query(sql)), "Q(SELECT misrule_fault_7)");
  EXPECT_EQ(rig.client(query("select 1")), "Q(select 1)");
  EXPECT_EQ(rig.server(kServersError + ready() + complete("SELECT 1") + ready()),
            "E(ERROR 40001 fault) Z(I) C(SELECT 1) Z(I)");
}

TEST(Poison, LongStringIsCutBehindTheFailingStatement) {
  const Limits limits{.text_bytes_max = 100};
  Rig rig(on_subject("insert into t", poison()), limits);
  const std::string sql = "select 1; INSERT INTO t VALUES ('" + std::string(1'000, 'x') + "')";
  EXPECT_EQ(rig.client(query(sql)), "Q(select 1; SELECT misrule_fault_7)");
}

TEST(Ending, FatalIsToldAndTheConnectionEnds) {
  Rig rig(on_subject("select", poison("57P01", "terminating connection", "FATAL")));
  EXPECT_EQ(rig.client(query("select 1")), "");
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_FALSE(rig.pump.reset());
  EXPECT_EQ(rig.at_client(), "E(FATAL 57P01 terminating connection)");
  EXPECT_THAT(rig.told(),
              ElementsAre("exchanged 1 FATAL 57P01: terminating connection did_not failed"));
}

TEST(Ending, WaitsForWhatIsOwed) {
  Rig rig(on_subject("select 2", close_verb()));
  EXPECT_EQ(rig.client(wire::parse_bind_execute("select 1") + wire::parse_bind_execute("select 2")),
            "P(: select 1) B E P(: select 2) B P(_misrule: SELECT misrule_fault_7)");
  EXPECT_EQ(rig.server(message('1') + message('2') + complete("SELECT 1") + message('1') +
                       message('2') + kServersError),
            "1 2 C(SELECT 1) 1 2");
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 SELECT 1 did",
                                      "exchanged 2 connection closed did_not failed"));
}

TEST(Ending, ResetOfACommitRollsBack) {
  Rig rig(on_subject("commit", close_verb(true)));
  EXPECT_EQ(rig.client(wire::parse_bind_execute("COMMIT") + sync()),
            "P(: COMMIT) B P(_misrule: ROLLBACK) B E C H S");
  EXPECT_EQ(
      rig.server(message('1') + message('2') + message('1') + message('2') + complete("ROLLBACK")),
      "1 2");
  EXPECT_TRUE(rig.pump.reset());
}

TEST(Ending, LongAnswerUnderWayIsNotCut) {
  Rig rig(on_subject("select 2", close_verb()));
  rig.client(query("listen a"));
  rig.server(complete("LISTEN") + ready());
  const std::string notice = message('N', std::string(1'000, 'x'));
  rig.pump.feed(Direction::kToClient, notice.substr(0, 100));
  EXPECT_EQ(rig.client(query("select 2")), "Q(SELECT misrule_fault_7)")
      << "closing at once would cut the notice";
  rig.pump.feed(Direction::kToClient, notice.substr(100) + kServersError);
  EXPECT_TRUE(rig.pump.closed());
}

TEST(Ending, ServersDeathIsToldAsUnknown) {
  Rig rig(on_subject("select 2", poison()));
  rig.client(query("select 1") + query("select 2"));
  rig.pump.end(Direction::kToClient);
  rig.pump.end(Direction::kToServer);
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 connection closed unknown failed",
                                      "exchanged 2 connection closed did_not failed"));
}

TEST(Ending, ServersOwnFatalIsPassedOn) {
  Rig rig;
  rig.client(query("select 1"));
  EXPECT_EQ(rig.server(error("57P01", "terminating", "FATAL")), "E(FATAL 57P01 terminating)");
  EXPECT_THAT(rig.told(), ElementsAre("exchanged 1 FATAL 57P01: terminating unknown failed"));
  Rig idle;
  EXPECT_EQ(idle.server(error("57P01", "terminating", "FATAL")), "E(FATAL 57P01 terminating)");
  EXPECT_THAT(idle.told(), IsEmpty());
}

}  // namespace
}  // namespace misrule::codecs::postgres
