// partition() and fault_all(): which rules they arm, and what is refused before anything starts.

#include <gmock/gmock.h>

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using testing::HasSubstr;
using Partition = SpecTest;
using Lines = std::vector<std::string>;

/// "api -> postgres stall", "api connect postgres delay keep".
Lines shown_rules(const std::vector<model::Rule>& rules) {
  Lines lines;
  for (const model::Rule& rule : rules) {
    if (rule.has_link()) {
      lines.push_back(fmt::format("{} -> {}{}{}", rule.source(), rule.target().service(),
                                  rule.target().has_interface() ? ".main" : "",
                                  rule.link().stall() ? " stall" : ""));
      continue;
    }
    const std::string action = rule.has_deny() ? rule.deny().error() : "held";
    lines.push_back(fmt::format("{} {} {} {} {}", rule.target().service(), rule.syscall().family(),
                                rule.syscall().to().service(), action,
                                rule.syscall().established()));
  }
  return lines;
}

TEST_F(Partition, S1_29_IsSilenceBothWaysWhoeverIsTheClient) {
  EXPECT_EQ(outcome_of("def scenario():\n"
                       "    return api.get(path = \"/a\").status\n"
                       "assert_eq(partition(api, db, run = scenario), 200)"),
            "completed");
  EXPECT_EQ(host_.log(), (Lines{"arm test_x/1, test_x/2, test_x/3, test_x/4",
                                "GET /a -> api.public", "disarm 1"}));
  EXPECT_EQ(shown_rules(host_.armed.at(0)),
            (Lines{"api -> postgres stall", "api connect postgres held keep",
                   "postgres -> api stall", "postgres connect api held keep"}));
  for (const model::Rule& rule : host_.armed.at(0)) {
    EXPECT_EQ(rule.group(), "partition(api, postgres)");
    EXPECT_EQ(rule.position().line(), 6U);
    EXPECT_FALSE(rule.may_stay_unfired());
  }
}

TEST_F(Partition, AnInterfaceNarrowsIt) {
  EXPECT_EQ(outcome_of("partition(db.main, api, label = \"split\", optional = True, run = lambda: "
                       "None)\n"
                       "partition(api, db.main, mode = \"reset\", run = lambda: None)\n"
                       "partition(api, db, mode = \"refuse\", run = lambda: None)\n"
                       "partition(api, db, mode = \"refuse\", run = lambda: None)"),
            "completed");
  EXPECT_EQ(shown_rules(host_.armed.at(0)),
            (Lines{"postgres -> api stall", "postgres connect api held keep",
                   "api -> postgres.main stall", "api connect postgres held keep"}));
  EXPECT_EQ(host_.armed.at(0).at(0).id(), "split");
  EXPECT_EQ(host_.armed.at(0).at(1).id(), "split#2");
  EXPECT_TRUE(host_.armed.at(0).at(1).may_stay_unfired());
  EXPECT_EQ(shown_rules(host_.armed.at(1)),
            (Lines{"api connect postgres ECONNREFUSED ", "postgres connect api ECONNREFUSED "}));
  EXPECT_EQ(host_.armed.at(1).at(0).group(), "partition(api, postgres.main, mode=\"reset\")");
  EXPECT_EQ(shown_rules(host_.armed.at(2)),
            (Lines{"api -> postgres stall", "api connect postgres ECONNREFUSED keep",
                   "postgres -> api stall", "postgres connect api ECONNREFUSED keep"}));
  EXPECT_EQ(host_.armed.at(3).at(0).group(), "partition(api, postgres, mode=\"refuse\") #2")
      << "the second one has to fire itself";
}

TEST_F(Partition, WhatCannotBeIsSaidBeforeTheRun) {
  const auto problem = [this](const std::string& call) {
    return only_problem("def test_x():\n    " + call + "\n");
  };
  EXPECT_THAT(problem("partition(api, api, run = print)"), HasSubstr("api is on both sides"));
  EXPECT_THAT(problem("partition(api, db, mode = \"loud\", run = print)"),
              HasSubstr("mode=\"loud\" is none of \"silence\", \"reset\", \"refuse\""));
  EXPECT_THAT(problem("partition(api, db, runs = print)"),
              HasSubstr("unexpected keyword argument \"runs\" (did you mean run?)"));
  EXPECT_THAT(problem("partition(api, run = print)"), HasSubstr("missing argument for b"));
  EXPECT_THAT(outcome_of("partition(api, db)"), HasSubstr("missing argument for run"));
  EXPECT_THAT(outcome_of("partition(api, 1, run = print)"),
              HasSubstr("between two services or interfaces, not a int"));
}

TEST_F(Partition, AtTheTopLevelItIsAnAssumption) {
  const Spec& spec = load(
      "def ask():\n    return api.get(path = \"/a\")\n"
      "fault_scenario(\"split\", scenario = ask, faults = [partition(api, db)], expect = print)\n");
  ASSERT_EQ(spec.tests().size(), 1U);
  EXPECT_EQ(shown_rules(spec.tests()[0].declared).size(), 4U);
  EXPECT_EQ(spec.tests()[0].declared[0].group(), "partition(api, postgres)");
  EXPECT_THAT(only_problem("partition(api, db, run = print)\n"), HasSubstr("run= is for tests"));
}

TEST_F(Partition, CompilePrintsItAsATemplate) {
  const Spec& spec = load("def test_x():\n    partition(api, db, run = print)\n");
  EXPECT_EQ(shown_rules(spec.tests().at(0).dynamic).size(), 4U);
}

TEST_F(Partition, FaultAllArmsEachTargetAtOnce) {
  EXPECT_EQ(
      outcome_of("fault_all([db, api], write = deny(\"EIO\"), label = \"disk\", description = "
                 "\"the disk of both\", run = lambda: None)"),
      "completed");
  ASSERT_EQ(host_.armed.size(), 1U);
  const auto& rules = host_.armed[0];
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].target().service(), "postgres");
  EXPECT_EQ(rules[1].target().service(), "api");
  EXPECT_EQ(rules[0].id(), "disk");
  EXPECT_EQ(rules[1].id(), "disk#2");
  EXPECT_EQ(rules[1].description(), "the disk of both");
  EXPECT_THAT(outcome_of("fault_all([], write = deny(\"EIO\"), run = print)"),
              HasSubstr("a list of services and interfaces"));
  EXPECT_THAT(outcome_of("fault_all(db, write = deny(\"EIO\"), run = print)"),
              HasSubstr("a list of services and interfaces"));
  EXPECT_EQ(load("def test_x():\n    fault_all([db, api], write = deny(\"EIO\"), run = print)\n")
                .tests()
                .at(0)
                .dynamic.size(),
            2U);
}

}  // namespace
}  // namespace misrule::dsl
