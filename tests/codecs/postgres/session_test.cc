#include "codecs/postgres/session.h"

#include <gmock/gmock.h>

#include "tests/codecs/postgres/rig.h"

namespace misrule::codecs::postgres {
namespace {

using ::testing::ElementsAre;

Unit decided(Session& session, std::string_view sql) {
  return session.decide("Query", session.registry.make(sql, Backslash::kOrdinary));
}

TEST(Session, KnowsItsUserAndDatabase) {
  RecordingHost host;
  Session session(host, {});
  session.started({.parameters = {{"user", "app"}}});
  EXPECT_EQ(session.database, "app") << "the server's own default";
  EXPECT_EQ(session.phase, Session::Phase::kMessages);
  EXPECT_EQ(session.ledger.size(), 1U) << "the welcome";
  Session named(host, {});
  named.started({.parameters = {{"database", "shop"}, {"user", "app"}}});
  EXPECT_EQ(named.database, "shop");
}

TEST(Session, ReplicationIsSaidInManyWays) {
  RecordingHost host;
  for (const auto& [value, raw] : std::initializer_list<std::pair<std::string, bool>>{
           {"true", true}, {"database", true}, {"1", true}, {"false", false}, {"off", false}}) {
    Session session(host, {});
    session.started({.parameters = {{"replication", value}}});
    EXPECT_EQ(session.is_raw(), raw) << value;
  }
}

TEST(Session, VerbsBecomeFates) {
  using Fate = Unit::Fate;
  for (const auto& [verb, fate] : std::initializer_list<std::pair<Verb, Fate>>{
           {Verb{}, Fate::kForward},
           {poison(), Fate::kPoison},
           {poison("57P01", "bye", "FATAL"), Fate::kClose},
           {close_verb(), Fate::kClose},
           {close_verb(true), Fate::kReset},
           {Verb{.kind = Verb::Kind::kSwallow}, Fate::kClose}}) {
    RecordingHost host;
    host.decide_as = [&verb](const Facts&) { return verb; };
    Session session(host, {});
    EXPECT_EQ(decided(session, "select 1").fate, fate);
  }
}

TEST(Session, ErrorWithoutASeverityIsAnError) {
  RecordingHost host;
  host.decide_as = [](const Facts&) { return poison("40001", "fault", ""); };
  Session session(host, {});
  EXPECT_EQ(decided(session, "select 1").error->severity, "ERROR");
}

TEST(Session, FailedTransactionsAndRollbacksAreLeftAlone) {
  RecordingHost host;
  host.decide_as = [](const Facts&) { return poison(); };
  Session session(host, {});
  EXPECT_TRUE(decided(session, "commit").is_acted_on());
  EXPECT_FALSE(decided(session, "rollback").is_acted_on());
  session.expected = Transaction::kFailed;
  EXPECT_FALSE(decided(session, "select 1").is_acted_on());
}

TEST(Session, UnitsAreToldOnce) {
  RecordingHost host;
  Session session(host, {});
  Unit unit = decided(session, "insert into t values (1)");
  session.tell_done(unit, "INSERT 0 1");
  session.tell_not_run(unit);
  session.tell_unanswered(unit, "connection closed");
  ASSERT_EQ(host.exchanges.size(), 1U);
  EXPECT_EQ(host.exchanges[0].rows, 1);
  EXPECT_EQ(host.exchanges[0].server, ServerOutcome::kDid);
}

TEST(Session, CommitThatTheServerTurnedIntoARollbackWasNotDone) {
  RecordingHost host;
  Session session(host, {});
  Unit unit = decided(session, "COMMIT");
  session.tell_done(unit, "ROLLBACK");
  EXPECT_EQ(host.exchanges[0].server, ServerOutcome::kDidNot);
}

TEST(Session, OpaqueTellsWhatIsOwed) {
  RecordingHost host;
  Session session(host, {});
  Owed owed{.kind = Owed::Kind::kQuery};
  owed.units.push_back(decided(session, "select 1"));
  session.ledger.push(std::move(owed));
  session.go_opaque("why");
  EXPECT_TRUE(session.is_raw());
  EXPECT_THAT(host.log, ElementsAre("decide 1 Query select 1",
                                    "exchanged 1 not decoded unknown failed", "opaque why"));
}

}  // namespace
}  // namespace misrule::codecs::postgres
