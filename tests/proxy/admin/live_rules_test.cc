#include "proxy/admin/live_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/admin/fake_proxy.h"

namespace misrule::proxy {
namespace {

using ::testing::HasSubstr;

class LiveRulesTest : public ::testing::Test {
 protected:
  std::string error_of(std::string_view text) {
    const auto taken = rules_.replace(text, "r.yaml", std::nullopt);
    return taken ? "no error" : taken.error().what;
  }

  testing::FakeProxy proxy_;
  testing::KeptEvents events_;
  std::vector<Listener> listeners_ = {
      {.service = "db", .interface = "main", .protocol = model::Protocol::kPostgres}};
  LiveRules rules_{proxy_, listeners_, events_};
};

TEST_F(LiveRulesTest, ARuleWithoutTargetIsForTheOneListener) {
  const auto taken = rules_.replace("rules: [{postgres: {}, drop: {}}]", "r.yaml", std::nullopt);
  ASSERT_TRUE(taken) << taken.error().what;
  EXPECT_EQ(taken->version, 1U);
  EXPECT_EQ(proxy_.armed.rules(0).target().service(), "db");
  EXPECT_EQ(proxy_.armed.rules(0).id(), "rule-1");
  listeners_.push_back({.service = "api", .interface = "main"});
  EXPECT_THAT(error_of("rules: [{postgres: {}, drop: {}}]"),
              HasSubstr("r.yaml:1:9: rule 'rule-1' has no target, and there are 2 proxies"));
}

TEST_F(LiveRulesTest, VersionsCountAndMayBeDemanded) {
  EXPECT_EQ(rules_.replace("rules: []", "a", std::nullopt)->version, 1U);
  EXPECT_EQ(rules_.replace("rules: []", "a", 1)->version, 2U);
  const auto late = rules_.replace("rules: []", "a", 1);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kRefused);
  EXPECT_EQ(rules_.in_force().version, 2U);
}

TEST_F(LiveRulesTest, WrongRulesChangeNothingAndAreTold) {
  ASSERT_EQ(error_of("rules: [{id: a, drop: {}}]"), "no error");
  EXPECT_THAT(error_of("rules:\n  - {id: b, http: {path: /x}, drop: {}}\n"),
              HasSubstr("r.yaml:2:"));
  EXPECT_EQ(proxy_.armed.rules(0).id(), "a");
  EXPECT_EQ(rules_.in_force().rules->rules(0).id(), "a");
  EXPECT_THAT(rules_.last_refusal(), HasSubstr("rule 'b'"));
  EXPECT_EQ(model::field_text(*events_.events.back().find("action")), "rules_refused");
  ASSERT_EQ(error_of("rules: []"), "no error");
  EXPECT_EQ(rules_.last_refusal(), "");
}

TEST_F(LiveRulesTest, AListThatNamesAnotherServiceIsAMistake) {
  EXPECT_THAT(error_of("rules: [{id: a, target: {service: dbs}, drop: {}}]"),
              HasSubstr("did you mean db?"));
}

TEST_F(LiveRulesTest, OfAWholeSpecWhatIsElsewhereIsSkippedWithAReason) {
  const auto taken = rules_.replace(R"(schema: misrule.rules/1
tests:
  - test: one
    rules:
      - {id: a, target: {service: db}, source: api, drop: {}}
      - {id: b, target: {service: api}, drop: {}}
      - {id: c, target: {service: db}, syscall: {family: write}, deny: {error: EIO}}
    dynamic:
      - {id: d, target: {service: db}, drop: {}}
  - test: two
    rules:
      - {id: a, target: {service: db}, drop: {}}
)",
                                    "r.yaml", std::nullopt);
  ASSERT_TRUE(taken) << taken.error().what;
  std::vector<std::string> skipped;
  for (const SkippedRule& one : taken->skipped) skipped.push_back(one.rule);
  EXPECT_THAT(skipped, ::testing::ElementsAre("d", "b", "c"));
  ASSERT_EQ(proxy_.armed.rules_size(), 2);
  EXPECT_FALSE(proxy_.armed.rules(0).has_source());
  EXPECT_EQ(proxy_.armed.rules(1).id(), "two/a");
}

TEST_F(LiveRulesTest, WhereTheProtocolIsFoundOutRulesOfSeveralAreLegal) {
  listeners_ = {{.service = "up", .interface = "main", .sniffs = true}};
  EXPECT_EQ(error_of("rules: [{postgres: {}, drop: {}}, {http: {path: /x}, error: {status: 503}}, "
                     "{tcp: {}, drop: {}}]"),
            "no error");
  EXPECT_THAT(error_of("rules: [{http: {path: x}, drop: {}}]"), HasSubstr("begin with a slash"));
}

}  // namespace
}  // namespace misrule::proxy
