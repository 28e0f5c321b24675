#include "proxy/rules/pattern_index.h"

#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/rules/scope_rules.h"
#include "tests/proxy/rules/rule_maker.h"

namespace misrule::rules {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<PatternIndex::Value> candidates(const std::vector<std::string>& patterns,
                                            std::string_view text) {
  PatternIndex index;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    index.add(patterns[i], static_cast<PatternIndex::Value>(i));
  }
  index.seal();
  std::vector<PatternIndex::Value> found;
  index.append_candidates(text, found);
  return found;
}

TEST(GlobLiterals, areTheRunsBetweenWildcards) {
  EXPECT_THAT(glob_literals("a*bc?d"), ElementsAre("a", "bc", "d"));
  EXPECT_THAT(glob_literals("\\*x\\?*"), ElementsAre("*x?"));
  EXPECT_THAT(glob_literals("*?*"), IsEmpty());
  EXPECT_THAT(glob_literals("x\\"), ElementsAre("x\\"));
}

TEST(PatternIndex, findsWhatMayMatch) {
  EXPECT_THAT(candidates({"/a/1", "/a/2", "*", "/a/*"}, "/a/2"), UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(candidates({"INSERT*"}, "insert into t"), ElementsAre(0));
  EXPECT_THAT(candidates({}, "x"), IsEmpty());
}

TEST(PatternIndex, anchorsWithinAnchorsAreFoundOnce) {
  EXPECT_THAT(candidates({"*abcd*", "*bc*", "*c*", "*bcd*", "*x*"}, "zabcdabcd"),
              UnorderedElementsAre(0, 1, 2, 3));
}

// A small alphabet, so that random patterns and texts do meet.
std::string random_text(std::mt19937& random, std::string_view alphabet, std::size_t size_max) {
  std::string text(random() % (size_max + 1), ' ');
  for (char& c : text) c = alphabet[random() % alphabet.size()];
  return text;
}

TEST(PatternIndex, losesNoMatchThatTryingEveryPatternFinds) {
  std::mt19937 random(7);
  std::size_t matches = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> patterns;
    for (int i = 0; i < 30; ++i) patterns.push_back(random_text(random, "aAb/*?\\", 8));
    for (int i = 0; i < 30; ++i) {
      const std::string text = random_text(random, "abB/", 10);
      const std::vector<PatternIndex::Value> found = candidates(patterns, text);
      for (std::size_t p = 0; p < patterns.size(); ++p) {
        const auto value = static_cast<PatternIndex::Value>(p);
        EXPECT_LE(std::ranges::count(found, value), 1);
        if (!Glob(patterns[p], GlobCase::kInsensitive).matches(text)) continue;
        ++matches;
        EXPECT_EQ(std::ranges::count(found, value), 1) << patterns[p] << " on " << text;
      }
    }
  }
  EXPECT_GT(matches, 1000U);
}

// The same for whole rules: the index against every rule in turn.
TEST(RuleSetProperty, decidesAsTryingEveryRuleInOrderWould) {
  std::mt19937 random(11);
  std::size_t fired = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<model::Rule> rules;
    for (int i = 0; i < 20; ++i) {
      model::Rule rule = http_error(fmt::format("r{}", i), "/" + random_text(random, "ab/*?", 5));
      if (random() % 2 == 0) rule.mutable_http()->set_method(random() % 2 == 0 ? "GET" : "put");
      if (random() % 4 == 0) rule.set_source(random() % 2 == 0 ? "api" : "worker");
      rules.push_back(std::move(rule));
    }
    Bench bench(rules);
    for (int i = 0; i < 50; ++i) {
      const std::string path = "/" + random_text(random, "ab/", 5);
      const std::string method = random() % 2 == 0 ? "GET" : "PUT";
      std::string expected;
      for (const model::Rule& rule : rules) {
        const std::string& wanted = rule.http().method();
        if (!wanted.empty() && (wanted == "GET") != (method == "GET")) continue;
        if (rule.has_source() && rule.source() != "api") continue;
        if (!Glob(rule.http().path()).matches(path)) continue;
        expected = rule.id();
        break;
      }
      fired += expected.empty() ? 0 : 1;
      ASSERT_EQ(bench.decide(request(method, path)), expected) << method << " " << path;
    }
  }
  EXPECT_GT(fired, 500U);
}

// Rules that share protocol, kind and first table with the traffic, and differ in their globs.
std::size_t patterns_tried(std::size_t rule_count, std::string_view sql) {
  std::vector<CompiledRule> rules;
  for (std::size_t i = 0; i < rule_count; ++i) {
    const std::string glob =
        fmt::format("SELECT * FROM pgbench_accounts WHERE aid = {} AND *", 1'000'000 + i);
    rules.push_back(
        {.protocol = model::Protocol::kPostgres, .glob = Glob(glob, GlobCase::kInsensitive)});
  }
  ScopeRules scope(rules);
  for (std::size_t i = 0; i < rule_count; ++i) scope.add(static_cast<RuleIndex>(i));
  scope.seal();
  std::vector<RuleIndex> matching;
  return scope.append_matching(statement(sql), matching);
}

TEST(ScopeRules, tenThousandRulesTryAsManyPatternsAsTen) {
  const std::string hit = "SELECT abalance FROM pgbench_accounts WHERE aid = 1000007 AND true";
  EXPECT_EQ(patterns_tried(10, hit), 1U);
  EXPECT_EQ(patterns_tried(10'000, hit), 1U);
  const std::string miss = "SELECT abalance FROM pgbench_accounts WHERE aid = 17 AND true";
  EXPECT_EQ(patterns_tried(10, miss), 0U);
  EXPECT_EQ(patterns_tried(10'000, miss), 0U);
}

}  // namespace
}  // namespace misrule::rules
