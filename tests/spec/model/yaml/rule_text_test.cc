#include "spec/model/yaml/rule_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace misrule::model {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto rules = proxy_rules_from_text(text, "r");
  return rules ? "no error" : rules.error().what;
}

TEST(RuleText, AListIsYamlOrJsonAndMeansTheSame) {
  const auto yaml = proxy_rules_from_text(
      "rules:\n  - id: a\n    http: {path: /x}\n    delay: {duration_us: 5}\n", "r");
  const auto json = proxy_rules_from_text(
      R"({"rules": [{"id": "a", "http": {"path": "/x"}, "delay": {"duration_us": "5"}}]})", "r");
  const auto camel = proxy_rules_from_text(
      R"({"rules": [{"id": "a", "http": {"path": "/x"}, "delay": {"durationUs": 5}}]})", "r");
  ASSERT_TRUE(yaml) << yaml.error().what;
  ASSERT_TRUE(json) << json.error().what;
  ASSERT_TRUE(camel) << camel.error().what;
  EXPECT_EQ(yaml->rules.SerializeAsString(), json->rules.SerializeAsString());
  EXPECT_EQ(yaml->rules.SerializeAsString(), camel->rules.SerializeAsString());
  EXPECT_FALSE(yaml->of_whole_spec);
}

TEST(RuleText, NothingIsNoRules) {
  for (const char* text : {"", "# only a comment\n", "rules: []", "{}", "rules:\n"}) {
    const auto rules = proxy_rules_from_text(text, "r");
    ASSERT_TRUE(rules) << text << rules.error().what;
    EXPECT_EQ(rules->rules.rules_size(), 0) << text;
  }
}

TEST(RuleText, MistakesOfJsonHaveTheirPlaceToo) {
  EXPECT_THAT(error_of("{\"rules\": [\n  {\"id\": \"a\",\n   \"drop\": {\"mod\": 1}}]}"),
              HasSubstr("r:3:13: unknown key \"mod\" (did you mean mode?); a Drop has mode"));
  EXPECT_THAT(error_of("{\"rules\": [\n"), HasSubstr("r:2:1: "));
  EXPECT_EQ(error_of(R"({"rules": [{"id": "a"}]})").substr(0, 6), "r:1:12");
  EXPECT_EQ(error_of(R"({"rules": [{"id": "a", "drop": {}}, {"id": "a", "drop": {}}]})"),
            "r:1:37: two rules have the id a");
}

TEST(RuleText, PlacesOfRulesAndOfTheirKeysAreFoundAgain) {
  const std::string list = "rules:\n  - {id: a, drop: {}}\n  - id: b\n    error:\n      code: x\n";
  EXPECT_EQ(place_of_rule(list, "r", 0, ""), "r:2:5");
  EXPECT_EQ(place_of_rule(list, "r", 1, ""), "r:3:5");
  EXPECT_EQ(place_of_rule(list, "r", 1, "code"), "r:5:13");
  EXPECT_EQ(place_of_rule(list, "r", 1, "status"), "r:3:5");
  EXPECT_EQ(place_of_rule(list, "r", 2, ""), "r");
  const std::string file =
      "schema: misrule.rules/1\ntests:\n  - test: t\n  - test: u\n    rules:\n"
      "      - {id: a, drop: {}}\n";
  EXPECT_EQ(place_of_rule(file, "r", 0, ""), "r:6:9");
}

TEST(RuleText, HostileTextsAreBounded) {
  EXPECT_THAT(error_of(std::string(17U << 20U, 'a')), HasSubstr("exceed"));
  EXPECT_NE(error_of(std::string(100000, '[')), "no error");
  EXPECT_NE(error_of("rules: &a [*a]"), "no error");
  EXPECT_NE(error_of("- a\n- b\n"), "no error");
  EXPECT_NE(error_of("text"), "no error");
  EXPECT_NE(error_of("rules: [[[]]]"), "no error");
  EXPECT_NE(error_of("? {a: b}\n: c\n"), "no error");
}

}  // namespace
}  // namespace misrule::model
