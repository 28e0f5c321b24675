#include "proxy/rules/near_misses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/rules/rule_maker.h"

namespace misrule::rules {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(NearMisses, theNearestFirstThenTheFrequentAndFiveAtMost) {
  Bench bench({http_error("r", "/payments")});
  const std::vector<std::string> paths = {"/pay", "/a", "/b", "/c", "/d", "/e", "/f"};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (std::size_t n = 0; n <= i; ++n) bench.decide(request("GET", paths[i]));
  }
  EXPECT_THAT(bench.tally("r").near_misses,
              ElementsAre("1x GET /pay", "7x GET /f", "6x GET /e", "5x GET /d", "4x GET /c"));
  EXPECT_EQ(bench.tally("r").considered, 28U);
  EXPECT_EQ(bench.tally("r").matched, 0U);
}

TEST(NearMisses, theRightPathWithAnotherMethodIsNearest) {
  model::Rule rule = http_error("r", "/payments/*");
  rule.mutable_http()->set_method("POST");
  Bench bench({rule});
  for (int i = 0; i < 9; ++i) bench.decide(request("POST", "/orders"));
  for (int i = 0; i < 5; ++i) bench.decide(request("POST", "/pay"));
  bench.decide(request("GET", "/payments/1"));
  EXPECT_THAT(bench.tally("r").near_misses,
              ElementsAre("1x GET /payments/1", "5x POST /pay", "9x POST /orders"));
}

TEST(NearMisses, aStatementThatSharesMoreWithThePatternIsNearer) {
  Bench bench({postgres_error("r", "INSERT INTO payments*")});
  for (int i = 0; i < 9; ++i) bench.decide(statement("SELECT * FROM payments"));
  for (int i = 0; i < 5; ++i) bench.decide(statement("INSERT INTO orders VALUES (1)"));
  bench.decide(statement("INSERT INTO payment_log VALUES (1)"));
  EXPECT_THAT(bench.tally("r").near_misses,
              ElementsAre("1x INSERT INTO payment_log VALUES (1)",
                          "5x INSERT INTO orders VALUES (1)", "9x SELECT * FROM payments"));
}

TEST(NearMisses, aCrowdOfGroupsKeepsTheNearest) {
  const CompiledRule rule = {.glob = Glob("/payments")};
  MissCounts misses;
  const auto see = [&](const std::string& path) {
    misses.add(nearness(rule, "GET", path), path, {}, 1);
  };
  for (char first = 'a'; first <= 'j'; ++first) {
    for (char second = 'a'; second <= 'j'; ++second) see({'/', first, second});
  }
  see("/pay");
  EXPECT_THAT(misses.nearest(1), ElementsAre("1x /pay"));
}

TEST(NearMisses, aRuleThatFiredHasNone) {
  Bench bench({http_error("r", "/payments")});
  bench.decide(request("GET", "/orders"));
  bench.decide(request("GET", "/payments"));
  EXPECT_THAT(bench.tally("r").near_misses, IsEmpty());
}

TEST(NearMisses, textsThatDifferInTheirValuesAreOneMiss) {
  Bench bench({http_error("r", "/payments"), postgres_error("q", "DELETE*")});
  for (int i = 0; i < 40; ++i) bench.decide(request("GET", "/orders/" + std::to_string(i)));
  for (const char* name : {"'ann'", "'bob'"}) {
    bench.decide(statement("SELECT * FROM users WHERE name = " + std::string(name)));
  }
  EXPECT_THAT(bench.tally("r").near_misses, ElementsAre("40x GET /orders/..."));
  EXPECT_THAT(bench.tally("q").near_misses, ElementsAre("2x SELECT * FROM users WHERE name = ..."));
}

TEST(NearMisses, aFloodOfTextsNeitherGrowsNorHidesTheFrequent) {
  Bench bench({http_error("r", "/payments")});
  for (int i = 0; i < 20000; ++i) {
    std::string unique;
    // Letters that bring none nearer to the rule's path than another.
    for (int rest = i; rest > 0; rest /= 15) unique.push_back(static_cast<char>('a' + rest % 15));
    bench.decide(request("GET", "/" + unique));
    if (i % 50 == 0) bench.decide(request("GET", "/frequent"));
  }
  const model::RuleTally tally = bench.tally("r");
  EXPECT_EQ(tally.near_misses.front(), "400x GET /frequent");
  EXPECT_THAT(tally.near_misses, SizeIs(5));
}

TEST(NearMisses, theTestsOwnStepsSaySo) {
  Bench bench({http_error("r", "/payments")}, "test");
  bench.decide(request("GET", "/orders"));
  bench.decide(request("POST", "/payments"));
  EXPECT_THAT(bench.tally("r").near_misses,
              ElementsAre("1x POST /payments matched, but it was the test's own step: those are "
                          "touched only with source=\"test\""));
  EXPECT_EQ(bench.tally("r").considered, 0U);
}

TEST(NearMisses, anotherSourceSaysSo) {
  model::Rule rule = http_error("r", "/payments");
  rule.set_source("worker");
  Bench bench({rule}, "db");
  bench.decide(request("POST", "/payments"));
  EXPECT_THAT(bench.tally("r").near_misses,
              ElementsAre("1x POST /payments matched, but it came from db; the rule has "
                          "source=\"worker\""));
}

TEST(NearMisses, opaqueConnectionsSaySo) {
  Bench bench({http_error("r", "/payments")});
  const Scope scope =
      bench.set()->scope({.service = "api", .interface = "http", .consumer = "worker"});
  scope.saw_opaque("not HTTP/1.1");
  EXPECT_THAT(bench.tally("r").near_misses,
              ElementsAre("1x a connection that could not be decoded (not HTTP/1.1): rules cannot "
                          "see into it"));
}

TEST(NearMisses, failedTransactionsAndRollbacksSaySo) {
  Bench bench({postgres_error("r", "*")});
  codecs::Facts failed = statement("INSERT INTO payments VALUES (1)");
  failed.state = "failed";
  bench.decide(failed);
  bench.decide(statement("rollback"));
  EXPECT_THAT(bench.tally("r").near_misses,
              ElementsAre("1x INSERT INTO payments VALUES (1) in a transaction that had failed "
                          "already: the server refuses it by itself",
                          "1x rollback: a server does not refuse to roll back"));
}

TEST(NearMisses, triggersThatHeldBackSaySo) {
  model::Rule nth = http_error("nth", "/payments");
  nth.mutable_trigger()->set_nth(3);
  model::Rule after = http_error("after", "/payments");
  after.mutable_trigger()->set_after(2);
  Bench bench({nth, after});
  bench.decide(request("GET", "/payments"));
  EXPECT_THAT(bench.tally("nth").near_misses, ElementsAre("matched 1x, but nth=3 was not reached"));
  EXPECT_THAT(bench.tally("after").near_misses,
              ElementsAre("matched 1x, and after=2 lets those pass"));
}

TEST(NearMisses, anEarlierRuleThatActedSaysSo) {
  Bench bench({http_error("wide", "*"), http_error("narrow", "/payments")});
  bench.decide(request("GET", "/payments"));
  EXPECT_THAT(bench.tally("narrow").near_misses,
              ElementsAre("matched 1x, but an earlier rule acted in its place"));
}

TEST(NearMisses, outliveTheSetAndCountOnlyWhileArmed) {
  Bench bench({http_error("r", "/payments")});
  bench.decide(request("GET", "/orders"));
  for (int i = 0; i < 5; ++i) {
    bench.arm({http_error("s" + std::to_string(i), "/payments")});
    bench.decide(request("GET", "/later"));
  }
  EXPECT_THAT(bench.tally("r").near_misses, ElementsAre("1x GET /orders"));
  EXPECT_EQ(bench.tally("r").considered, 1U);
  EXPECT_THAT(bench.tally("s0").near_misses, ElementsAre("1x GET /later"));
  EXPECT_THAT(bench.tally("s4").near_misses, ElementsAre("1x GET /later"));
}

}  // namespace
}  // namespace misrule::rules
