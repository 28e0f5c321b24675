#include "proxy/rules/rule_set.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/rules/rule_maker.h"

namespace misrule::rules {
namespace {

using codecs::Verb;
using testing::ElementsAre;

constexpr std::string_view kInsert = "INSERT INTO payments VALUES ($1)";

std::vector<std::string> decide_times(Bench& bench, const codecs::Facts& facts, int times) {
  std::vector<std::string> fired;
  for (int i = 0; i < times; ++i) fired.push_back(bench.decide(facts));
  return fired;
}

TEST(RuleSet, withoutRulesNothingIsDecided) {
  Bench bench({});
  EXPECT_EQ(bench.decide(statement(kInsert)), "");
  EXPECT_TRUE(bench.set()->scope({.service = "db", .interface = "pg"}).idle());
}

TEST(RuleSet, saysWhatTheActionIsInTheWordsOfTheProtocol) {
  Bench bench({postgres_error("pg", "insert into PAYMENTS*"), http_error("web", "/orders")});
  const Decision poison = bench.decide_fully(statement(kInsert));
  EXPECT_EQ(poison.verb.kind, Verb::Kind::kPoison);
  EXPECT_EQ(poison.verb.error.code, "40001");
  EXPECT_EQ(poison.verb.error.severity, "ERROR");
  EXPECT_EQ(poison.rule->decision, "error(40001)");
  EXPECT_EQ(bench.book().find(poison.verb.tag), poison.rule);
  const Decision replace = bench.decide_fully(request("GET", "/orders"));
  EXPECT_EQ(replace.verb.kind, Verb::Kind::kReplace);
  EXPECT_EQ(replace.verb.error.status, 503U);
  EXPECT_EQ(replace.rule->decision, "error(503)");
}

TEST(RuleSet, delayHoldsTheSideItNames) {
  model::Rule slow = postgres_error("slow", "SELECT*");
  slow.mutable_delay()->set_duration_us(1500);
  slow.mutable_delay()->set_side("reply");
  Bench bench({slow});
  const Decision decision = bench.decide_fully(statement("SELECT 1"));
  EXPECT_EQ(decision.verb.kind, Verb::Kind::kForward);
  EXPECT_EQ(decision.verb.hold, std::chrono::microseconds(1500));
  EXPECT_TRUE(decision.verb.hold_reply);
  EXPECT_EQ(decision.rule->decision, "delay(1500us)");
}

TEST(RuleSet, maskLetsTheServerDoItAndTellsAnError) {
  model::Rule web = http_error("web", "/orders");
  web.mutable_error()->set_mode("mask");
  model::Rule pg = postgres_error("pg", "INSERT*");
  pg.mutable_error()->set_mode("mask");
  Bench bench({web, pg});
  const Decision masked = bench.decide_fully(request("GET", "/orders"));
  EXPECT_EQ(masked.verb.kind, Verb::Kind::kMask);
  EXPECT_EQ(masked.rule->decision, "error(503, mask)");
  codecs::Facts facts = statement(kInsert);
  facts.state = "idle";
  EXPECT_EQ(bench.decide_fully(facts).verb.kind, Verb::Kind::kMask);
  facts.state = "transaction";
  EXPECT_EQ(bench.decide_fully(facts).rule, nullptr);
}

TEST(RuleSet, aDropSaysWhatIsLost) {
  const auto dropped = [](std::string_view mode, std::string_view side) {
    model::Rule rule = http_error("gone", "*");
    if (!mode.empty()) rule.mutable_drop()->set_mode(std::string(mode));
    if (!side.empty()) rule.mutable_drop()->set_side(std::string(side));
    return Bench({rule}).decide_fully(request("GET", "/")).verb;
  };
  EXPECT_EQ(dropped("connection", "reply").kind, Verb::Kind::kLose);
  EXPECT_EQ(dropped("connection", "reply").hold, Duration::zero());
  for (const std::string_view mode : {"request", "blackhole"}) {
    const Verb verb = dropped(mode, "");
    EXPECT_EQ(verb.kind, Verb::Kind::kClose);
    EXPECT_FALSE(verb.hold_reply);
    EXPECT_TRUE(verb.hold_is_loss);
    EXPECT_GT(verb.hold, std::chrono::hours(24));
  }
  const Verb reply = dropped("reply", "");
  EXPECT_EQ(reply.kind, Verb::Kind::kLose);
  EXPECT_TRUE(reply.hold_reply);
  EXPECT_TRUE(reply.hold_is_loss);
}

TEST(RuleSet, everySoManiethMatchFires) {
  model::Rule rule = postgres_error("third", "INSERT*");
  rule.mutable_trigger()->set_every(3);
  rule.mutable_trigger()->set_after(1);
  Bench bench({rule});
  EXPECT_THAT(decide_times(bench, statement(kInsert), 8),
              ElementsAre("", "", "", "third", "", "", "third", ""));
}

TEST(RuleSet, aDelayVariesByTheSeedAndRepeats) {
  model::Rule slow = postgres_error("slow", "SELECT*");
  slow.mutable_delay()->set_duration_us(100'000);
  slow.mutable_delay()->set_jitter_us(50'000);
  const auto holds = [&slow] {
    Bench bench({slow});
    std::vector<Duration> out;
    for (int i = 0; i < 5; ++i) out.push_back(bench.decide_fully(statement("SELECT 1")).verb.hold);
    return out;
  };
  const std::vector<Duration> first = holds();
  EXPECT_EQ(first, holds());
  EXPECT_NE(first[0], first[1]);
  for (const Duration hold : first) {
    EXPECT_GE(hold, std::chrono::milliseconds(50));
    EXPECT_LE(hold, std::chrono::milliseconds(150));
  }
}

TEST(RuleSet, aSessionIsWhatARuleSaysOfIt) {
  model::Rule rule = postgres_error("batch", "INSERT*");
  rule.mutable_postgres()->set_user("batch");
  rule.mutable_postgres()->set_database("shop");
  rule.mutable_postgres()->set_application_name("nightly");
  rule.mutable_postgres()->set_in_transaction(true);
  Bench bench({rule});
  codecs::Facts facts = statement(kInsert);
  facts.user = "batch";
  facts.database = "shop";
  facts.application_name = "nightly";
  facts.state = "transaction";
  EXPECT_EQ(bench.decide(facts), "batch");
  for (std::string_view codecs::Facts::* field :
       {&codecs::Facts::user, &codecs::Facts::database, &codecs::Facts::application_name}) {
    codecs::Facts other = facts;
    other.*field = "else";
    EXPECT_EQ(bench.decide(other), "");
  }
  codecs::Facts idle = facts;
  idle.state = "idle";
  EXPECT_EQ(bench.decide(idle), "");
}

TEST(RuleSet, anotherSessionIsANearMiss) {
  model::Rule rule = postgres_error("batch", "INSERT*");
  rule.mutable_postgres()->set_user("batch");
  Bench bench({rule});
  EXPECT_EQ(bench.decide(statement(kInsert)), "");
  EXPECT_THAT(bench.book().tallies().at(0).near_misses,
              testing::Contains(testing::HasSubstr("of another session")));
}

TEST(RuleSet, dropClosesTheConnection) {
  model::Rule gone = http_error("gone", "*");
  gone.mutable_drop();
  Bench bench({gone});
  EXPECT_EQ(bench.decide_fully(request("GET", "/")).verb.kind, Verb::Kind::kClose);
}

TEST(RuleSet, fatalConditionsAreFatal) {
  model::Rule shutdown = postgres_error("down", "*");
  shutdown.mutable_error()->set_code("admin_shutdown");
  Bench bench({shutdown});
  const Verb verb = bench.decide_fully(statement("SELECT 1")).verb;
  EXPECT_EQ(verb.error.code, "57P01");
  EXPECT_EQ(verb.error.severity, "FATAL");
}

TEST(RuleSet, nthFiresOnceOnThatMatch) {
  model::Rule rule = postgres_error("r", "INSERT*");
  rule.mutable_trigger()->set_nth(2);
  Bench bench({rule});
  EXPECT_EQ(bench.decide(statement("SELECT 1")), "");
  EXPECT_THAT(decide_times(bench, statement(kInsert), 4), ElementsAre("", "r", "", ""));
}

TEST(RuleSet, afterAndTimesLeaveAWindow) {
  model::Rule rule = postgres_error("r", "INSERT*");
  rule.mutable_trigger()->set_after(1);
  rule.mutable_trigger()->set_times(2);
  Bench bench({rule});
  EXPECT_THAT(decide_times(bench, statement(kInsert), 5), ElementsAre("", "r", "r", "", ""));
  EXPECT_EQ(bench.tally("r").matched, 5U);
  EXPECT_EQ(bench.tally("r").fired, 2U);
}

TEST(RuleSet, probabilityDependsOnSeedActorAndOrdinalOnly) {
  model::Rule rule = postgres_error("r", "INSERT*");
  rule.mutable_trigger()->set_probability(0.5);
  Bench one({rule});
  Bench other({postgres_error("unrelated", "SELECT*"), rule});
  std::vector<std::string> mixed;
  for (int i = 0; i < 64; ++i) {
    other.decide(statement("SELECT 1"));
    mixed.push_back(other.decide(statement(kInsert)));
  }
  const std::vector<std::string> alone = decide_times(one, statement(kInsert), 64);
  EXPECT_EQ(alone, mixed);
  EXPECT_GT(std::ranges::count(alone, "r"), 16);
  EXPECT_LT(std::ranges::count(alone, "r"), 48);
}

TEST(RuleSet, theFirstRuleWhoseTriggerLetsThroughActs) {
  model::Rule first = postgres_error("first", "INSERT*");
  first.mutable_trigger()->set_times(1);
  Bench bench({first, postgres_error("second", "INSERT INTO payments*")});
  EXPECT_THAT(decide_times(bench, statement(kInsert), 3), ElementsAre("first", "second", "second"));
}

TEST(RuleSet, twoRulesWithNthHitTheUnitsTheyName) {
  model::Rule one = postgres_error("one", "INSERT*");
  one.mutable_trigger()->set_nth(1);
  model::Rule two = postgres_error("two", "INSERT*");
  two.mutable_trigger()->set_nth(2);
  Bench bench({one, two});
  EXPECT_THAT(decide_times(bench, statement(kInsert), 3), ElementsAre("one", "two", ""));
}

TEST(RuleSet, countersGoOnWhenRulesAreSwapped) {
  model::Rule rule = postgres_error("r", "INSERT*");
  rule.mutable_trigger()->set_nth(3);
  Bench bench({rule});
  EXPECT_THAT(decide_times(bench, statement(kInsert), 2), ElementsAre("", ""));
  bench.arm({});
  EXPECT_EQ(bench.decide(statement(kInsert)), "");
  bench.arm({http_error("other", "*"), rule});
  EXPECT_EQ(bench.decide(statement(kInsert)), "r");
  EXPECT_EQ(bench.tally("r").considered, 3U);
}

TEST(RuleSet, knowsWhichTagsAreInForce) {
  Bench bench({postgres_error("r", "INSERT*")});
  const std::uint64_t tag = bench.decide_fully(statement(kInsert)).verb.tag;
  EXPECT_TRUE(bench.set()->contains(tag));
  bench.arm({postgres_error("r", "INSERT*"), http_error("other", "*")});
  EXPECT_TRUE(bench.set()->contains(tag));
  bench.arm({postgres_error("r", "DELETE*")});
  EXPECT_FALSE(bench.set()->contains(tag));
  EXPECT_EQ(bench.book().find(tag)->id, "r");
}

TEST(RuleSet, withoutSourceTheTestItselfIsLeftAlone) {
  Bench services({postgres_error("r", "INSERT*")}, "api");
  EXPECT_EQ(services.decide(statement(kInsert)), "r");
  Bench test({postgres_error("r", "INSERT*")}, "test");
  EXPECT_EQ(test.decide(statement(kInsert)), "");
}

TEST(RuleSet, sourceTouchesThatConsumerOnly) {
  for (const std::string source : {"test", "api"}) {
    model::Rule rule = postgres_error("r", "INSERT*");
    rule.set_source(source);
    for (const std::string consumer : {"test", "api", "worker"}) {
      Bench bench({rule}, consumer);
      EXPECT_EQ(bench.decide(statement(kInsert)) == "r", consumer == source) << consumer;
    }
    Bench sidecar({rule}, "");
    EXPECT_EQ(sidecar.decide(statement(kInsert)), "r");
  }
}

TEST(RuleSet, rulesWithAndWithoutSourceKeepTheirOrder) {
  model::Rule from_api = postgres_error("from_api", "INSERT*");
  from_api.set_source("api");
  Bench later({postgres_error("any", "INSERT INTO*"), from_api});
  EXPECT_EQ(later.decide(statement(kInsert)), "any");
  Bench earlier({from_api, postgres_error("any", "INSERT INTO*")});
  EXPECT_EQ(earlier.decide(statement(kInsert)), "from_api");
}

TEST(RuleSet, noErrorIntoAFailedTransactionNorARollback) {
  Bench bench({postgres_error("r", "*")});
  codecs::Facts failed = statement(kInsert);
  failed.state = "failed";
  EXPECT_EQ(bench.decide(failed), "");
  EXPECT_EQ(bench.decide(statement("rollback")), "");
  EXPECT_EQ(bench.decide(statement(kInsert)), "r");
  EXPECT_EQ(bench.tally("r").matched, 1U);
}

TEST(RuleSet, aWholeServiceIsItsInterfacesOfTheRulesProtocol) {
  model::Rule rule = http_error("r", "/x");
  rule.mutable_target()->clear_interface();
  Bench bench({rule});
  EXPECT_EQ(bench.decide(request("GET", "/x")), "r");
}

TEST(RuleSet, methodsAreComparedWithoutCaseAndPathsWithIt) {
  model::Rule rule = http_error("r", "/Orders/*");
  rule.mutable_http()->set_method("post");
  Bench bench({rule});
  EXPECT_EQ(bench.decide(request("POST", "/Orders/1")), "r");
  EXPECT_EQ(bench.decide(request("POST", "/orders/1")), "");
  EXPECT_EQ(bench.decide(request("GET", "/Orders/1")), "");
}

TEST(RuleSet, statementsAreMatchedWithPatternsOfAnyBlanksAndCase) {
  for (const char* pattern : {"insert  into\n payments * ;", "INSERT INTO \"payments\"*"}) {
    Bench bench({postgres_error("r", pattern)});
    EXPECT_EQ(bench.decide(statement("insert into payments values ($1)")), "r") << pattern;
  }
}

TEST(RuleSet, timesHoldsOverThreads) {
  model::Rule rule = postgres_error("r", "INSERT*");
  rule.mutable_trigger()->set_times(100);
  Bench bench({rule});
  const auto hammer = [&bench](int worker) {
    Actor actor("api#" + std::to_string(worker));
    const Scope scope = bench.set()->scope({.service = "db", .interface = "pg", .consumer = "api"});
    for (int i = 0; i < 1000; ++i) static_cast<void>(scope.decide(statement(kInsert), actor));
  };
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 4; ++worker) threads.emplace_back(hammer, worker);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bench.tally("r").fired, 100U);
  EXPECT_EQ(bench.tally("r").matched, 4000U);
  EXPECT_EQ(bench.tally("r").considered, 4000U);
}

TEST(RuleSet, oneWrongRuleRefusesAll) {
  RuleBook book(1);
  model::RuleSet rules;
  *rules.add_rules() = postgres_error("good", "*");
  *rules.add_rules() = http_error("bad", "*");
  rules.mutable_rules(1)->mutable_error()->set_status(99);
  const auto compiled = RuleSet::compile(rules, shop_topology(), book);
  ASSERT_FALSE(compiled.has_value());
  EXPECT_THAT(compiled.error().what, testing::HasSubstr("rule 'bad': status=99"));
  EXPECT_TRUE(book.tallies().empty());
  *rules.mutable_rules(1) = http_error("good", "*");
  EXPECT_THAT(RuleSet::compile(rules, shop_topology(), book).error().what,
              testing::HasSubstr("two rules have the id 'good'"));
}

TEST(RuleSet, rulesOnSystemCallsArePassedOver) {
  model::Rule rule;
  rule.set_id("s");
  rule.mutable_syscall()->set_family("write");
  Bench bench({rule});
  EXPECT_EQ(bench.set()->size(), 0U);
}

}  // namespace
}  // namespace misrule::rules
