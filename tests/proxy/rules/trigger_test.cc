// When a rule acts: counters of their own, windows, details and phases.

#include <gmock/gmock.h>

#include "tests/proxy/rules/rule_maker.h"

namespace misrule::rules {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::HasSubstr;

constexpr TimePoint kStart{std::chrono::hours(1)};

/// One set, as many connections as a test wants.
class TriggerTest : public testing::Test {
 protected:
  void arm(model::Rule rule) {
    model::RuleSet wanted;
    *wanted.add_rules() = std::move(rule);
    auto compiled = RuleSet::compile(wanted, shop_topology(), book_);
    ASSERT_TRUE(compiled.has_value()) << compiled.error().what;
    set_ = *std::move(compiled);
  }
  bool fires(Actor& actor, const codecs::Facts& facts, TimePoint now = kStart) {
    const bool http = facts.protocol == "http";
    const Scope scope = set_->scope(
        {.service = http ? "api" : "db", .interface = http ? "http" : "pg", .consumer = "x"});
    return scope.decide(facts, actor, now).rule != nullptr;
  }
  Status refusal(const model::Rule& rule) {
    model::RuleSet wanted;
    *wanted.add_rules() = rule;
    auto compiled = RuleSet::compile(wanted, shop_topology(), book_);
    return compiled ? Status() : Status(std::unexpected(std::move(compiled).error()));
  }

  RuleBook book_{1, kStart};
  std::shared_ptr<const RuleSet> set_;
  Actor first_{"x#1"};
  Actor second_{"x#2"};
};

model::Rule counted(const std::string& per) {
  model::Rule rule = http_error("r", "*");
  rule.mutable_trigger()->set_nth(2);
  if (!per.empty()) rule.mutable_trigger()->set_per(per);
  return rule;
}

TEST_F(TriggerTest, WithoutPerAllConnectionsCountTogether) {
  arm(counted(""));
  EXPECT_FALSE(fires(first_, request("GET", "/a")));
  EXPECT_TRUE(fires(second_, request("GET", "/a")));
  EXPECT_FALSE(fires(second_, request("GET", "/a")));
}

TEST_F(TriggerTest, PerConnectionEachCountsForItself) {
  arm(counted("connection"));
  EXPECT_FALSE(fires(first_, request("GET", "/a")));
  EXPECT_FALSE(fires(second_, request("GET", "/a")));
  EXPECT_TRUE(fires(first_, request("GET", "/a")));
  EXPECT_TRUE(fires(second_, request("GET", "/a")));
  EXPECT_FALSE(fires(first_, request("GET", "/a")));
  EXPECT_EQ(book_.tallies()[0].matched, 5U);
  EXPECT_EQ(book_.tallies()[0].fired, 2U);
}

TEST_F(TriggerTest, PerTransactionCountsAnewInEach) {
  model::Rule rule = postgres_error("r", "*");
  rule.mutable_trigger()->set_times(1);
  rule.mutable_trigger()->set_per("transaction");
  arm(rule);
  const auto in = [](std::uint64_t transaction) {
    codecs::Facts facts = statement("SELECT 1");
    facts.transaction = transaction;
    return facts;
  };
  EXPECT_TRUE(fires(first_, in(1)));
  EXPECT_FALSE(fires(first_, in(1)));
  EXPECT_TRUE(fires(first_, in(2)));
  EXPECT_FALSE(fires(first_, in(2)));
}

TEST_F(TriggerTest, PerKeyCountsByWhatIsAskedFor) {
  arm(counted("key"));
  EXPECT_FALSE(fires(first_, request("GET", "/a")));
  EXPECT_FALSE(fires(first_, request("GET", "/b")));
  EXPECT_TRUE(fires(second_, request("GET", "/a")));
  EXPECT_TRUE(fires(second_, request("GET", "/b")));
}

TEST_F(TriggerTest, KeysBeyondTheBoundAreLeftAlone) {
  model::Rule rule = http_error("r", "*");
  rule.mutable_trigger()->set_per("key");
  arm(rule);
  for (std::size_t i = 0; i < KeyCounts::kKeysMax; ++i) {
    ASSERT_TRUE(fires(first_, request("GET", "/" + std::to_string(i))));
  }
  EXPECT_FALSE(fires(first_, request("GET", "/beyond")));
  EXPECT_TRUE(fires(first_, request("GET", "/0")));
}

TEST_F(TriggerTest, AWindowIsOpenFromAndUntil) {
  model::Rule rule = http_error("r", "*");
  rule.mutable_trigger()->set_window_from_us(1000);
  rule.mutable_trigger()->set_window_to_us(3000);
  arm(rule);
  EXPECT_FALSE(fires(first_, request("GET", "/a"), kStart));
  EXPECT_THAT(book_.tallies()[0].near_misses, Contains(HasSubstr("outside of window=")));
  EXPECT_TRUE(fires(first_, request("GET", "/a"), kStart + milliseconds(1)));
  EXPECT_TRUE(fires(first_, request("GET", "/a"), kStart + milliseconds(2)));
  EXPECT_FALSE(fires(first_, request("GET", "/a"), kStart + milliseconds(3)));
}

TEST_F(TriggerTest, WhatCannotBeIsRefused) {
  EXPECT_EQ(refusal(counted("row")).error().field, "per");
  model::Rule rule = http_error("r", "*");
  rule.mutable_trigger()->set_window_from_us(2);
  rule.mutable_trigger()->set_window_to_us(2);
  EXPECT_EQ(refusal(rule).error().field, "window");
}

class OneHeader final : public codecs::Details {
 public:
  bool any(codecs::Detail what, std::string_view key,
           const std::function<bool(std::string_view)>& wants) const override {
    return what == codecs::Detail::kHeader && key == "x-tenant" && wants("acme");
  }
};

TEST_F(TriggerTest, ADetailThatSaysOtherwiseIsANearMiss) {
  model::Rule rule = http_error("r", "*");
  (*rule.mutable_http()->mutable_headers())["x-tenant"] = "ac*";
  arm(rule);
  codecs::Facts facts = request("GET", "/a");
  EXPECT_FALSE(fires(first_, facts));
  EXPECT_THAT(book_.tallies()[0].near_misses,
              Contains(HasSubstr("1x GET /a: headers[x-tenant] says otherwise")));
  const OneHeader details;
  facts.details = &details;
  EXPECT_TRUE(fires(first_, facts));
  const Scope scope = set_->scope({.service = "api", .interface = "http", .consumer = "x"});
  EXPECT_TRUE(scope.wants(codecs::Detail::kHeader));
  EXPECT_FALSE(scope.wants(codecs::Detail::kBody));
}

TEST_F(TriggerTest, ARuleIsAboutUnitsOfItsPhaseAlone) {
  model::Rule rule = postgres_error("r", "");
  rule.mutable_postgres()->clear_query();
  rule.mutable_postgres()->set_moment("startup");
  rule.mutable_error()->set_code("53300");
  arm(rule);
  codecs::Facts facts = statement("SELECT 1");
  EXPECT_FALSE(fires(first_, facts));
  facts.phase = codecs::Phase::kStartup;
  EXPECT_TRUE(fires(first_, facts));
  const Scope scope = set_->scope({.service = "db", .interface = "pg", .consumer = "x"});
  EXPECT_TRUE(scope.wants(codecs::Phase::kStartup));
  EXPECT_FALSE(scope.wants(codecs::Phase::kIdle));
}

TEST_F(TriggerTest, WhatIsTakenBackHasNotFired) {
  arm(http_error("r", "*"));
  const Scope scope = set_->scope({.service = "api", .interface = "http", .consumer = "x"});
  const Decision decision = scope.decide(request("GET", "/a"), first_, kStart);
  EXPECT_EQ(book_.tallies()[0].fired, 1U);
  book_.take_back(decision.spent, first_);
  EXPECT_EQ(book_.tallies()[0].fired, 0U);
  EXPECT_EQ(book_.tag_of("r"), decision.verb.tag);
  EXPECT_EQ(book_.tag_of("s"), 0U);
}

// Of three units of one connection, transaction or key, the rule may act on one.
model::Rule once(const std::string& per) {
  model::Rule rule = http_error("r", "*");
  rule.mutable_trigger()->set_times(1);
  rule.mutable_trigger()->set_per(per);
  return rule;
}

TEST_F(TriggerTest, WhatIsTakenBackIsLeftForTheNextOfItsKind) {
  for (const char* const per : {"connection", "key"}) {
    arm(once(per));
    const Scope scope = set_->scope({.service = "api", .interface = "http", .consumer = "x"});
    const std::string path = std::string("/") + per;
    const Decision decision = scope.decide(request("GET", path), first_, kStart);
    ASSERT_NE(decision.rule, nullptr);
    EXPECT_FALSE(fires(first_, request("GET", path))) << per;
    book_.take_back(decision.spent, first_);
    EXPECT_TRUE(fires(first_, request("GET", path))) << per;
    EXPECT_FALSE(fires(first_, request("GET", path))) << per;
  }
}

TEST_F(TriggerTest, WhatIsTakenBackOfAnEndedTransactionIsNoOthers) {
  model::Rule rule = postgres_error("r", "*");
  rule.mutable_trigger()->set_times(1);
  rule.mutable_trigger()->set_per("transaction");
  arm(rule);
  const Scope scope = set_->scope({.service = "db", .interface = "pg", .consumer = "x"});
  codecs::Facts facts = statement("SELECT 1");
  facts.transaction = 1;
  const Decision of_first = scope.decide(facts, first_, kStart);
  ASSERT_NE(of_first.rule, nullptr);
  book_.take_back(of_first.spent, first_);
  const Decision again = scope.decide(facts, first_, kStart);
  EXPECT_NE(again.rule, nullptr);
  facts.transaction = 2;
  EXPECT_TRUE(fires(first_, facts));
  book_.take_back(again.spent, first_);
  EXPECT_FALSE(fires(first_, facts));
}

}  // namespace
}  // namespace misrule::rules
