// fault_assumption(), fault_scenario() and fault_matrix(): which tests they make, what is armed
// when, who judges. Numbers such as S1-39 are those of the rows of the vocabulary's inventory.

#include <gmock/gmock.h>

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Lines = std::vector<std::string>;

const std::string kScenarios =
    "def create():\n"
    "    \"\"\"Creates a user.\"\"\"\n"
    "    return api.post(path = \"/users\", body = \"{}\")\n"
    "def health():\n"
    "    return api.get(path = \"/health\")\n"
    "scenario(create)\n"
    "scenario(health)\n";
const std::string kFaults =
    "db_down = fault_assumption(\"db_down\", target = api, connect = deny(\"ECONNREFUSED\"),\n"
    "                           to = db, description = \"no database — at all\")\n"
    "disk_full = fault_assumption(\"disk_full\", target = db, write = deny(\"ENOSPC\"))\n";

class Matrix : public SpecTest {
 protected:
  static Lines names_of(const Spec& spec) {
    Lines names;
    for (const dsl::Test& test : spec.tests()) names.push_back(test.name);
    return names;
  }
  static const dsl::Test& test_of(const Spec& spec, std::string_view name) {
    for (const dsl::Test& test : spec.tests()) {
      if (test.name == name) return test;
    }
    throw std::runtime_error("no test " + std::string(name));
  }
  static Lines notes_of(const Spec& spec) {
    Lines notes;
    for (const Problem& note : spec.notes()) notes.push_back(note.finding.message);
    return notes;
  }
};

TEST_F(Matrix, S1_15_S1_17_RulesAreArmedAroundTheScenarioAndEndBeforeItIsJudged) {
  Spec& spec = load(kScenarios + kFaults +
                    "fault_scenario(\"no_users\", scenario = create, faults = [db_down],\n"
                    "    expect = lambda r: (assert_eq(r.status, 200),\n"
                    "                        assert_eq(health().status, 200)))\n");
  EXPECT_EQ(names_of(spec), (Lines{"no_users"}));
  const dsl::Test& test = spec.tests()[0];
  ASSERT_EQ(test.declared.size(), 1U);
  EXPECT_EQ(test.declared[0].id(), "no_users/1");
  EXPECT_EQ(test.declared[0].target().service(), "api");
  EXPECT_EQ(test.declared[0].syscall().family(), "connect");
  EXPECT_EQ(test.declared[0].syscall().to().service(), "postgres");
  EXPECT_EQ(test.description, "Creates a user.");
  EXPECT_EQ(test.control, "control.create");
  EXPECT_FALSE(test.cell);
  EXPECT_TRUE(test.has_oracle);
  const BodyResult result = spec.run_test("no_users", host_);
  EXPECT_TRUE(result.completed) << (result.finding ? shown(*result.finding) : "");
  EXPECT_EQ(host_.log(), (Lines{"arm no_users/1", "POST /users -> api.public", "disarm 1",
                                "GET /health -> api.public"}));
}

TEST_F(Matrix, S2_14_WithoutFaultsItIsAScenarioWithAnOracle) {
  Spec& spec = load(kScenarios +
                    "fault_scenario(\"plain\", scenario = health,\n"
                    "    expect = lambda r: assert_eq(r.status, 201, \"healthy\"))\n");
  EXPECT_EQ(spec.tests()[0].control, "") << "it is its own control";
  const BodyResult result = spec.run_test("plain", host_);
  EXPECT_FALSE(result.completed);
  ASSERT_TRUE(result.finding);
  EXPECT_THAT(result.finding->message, HasSubstr("healthy: expected 201, got 200"));
  EXPECT_EQ(host_.log(), (Lines{"GET /health -> api.public"}));
}

TEST_F(Matrix, AScenarioThatRaisesHasFailedAndIsNotJudged) {
  Spec& spec = load("def boom():\n    fail(\"boom\")\n" + kFaults +
                    "fault_scenario(\"raises\", scenario = boom, faults = disk_full,\n"
                    "    expect = lambda r: api.get(path = \"/asked\"))\n");
  const BodyResult result = spec.run_test("raises", host_);
  EXPECT_FALSE(result.completed);
  ASSERT_TRUE(result.finding);
  EXPECT_THAT(result.finding->message, HasSubstr("boom"));
  EXPECT_EQ(host_.log(), (Lines{"arm raises/1", "disarm 1"}));
}

TEST_F(Matrix, S1_39_EveryScenarioUnderEveryFaultButTheExcludedIsATest) {
  const Spec& spec = load(kScenarios + kFaults +
                          "fault_matrix(scenarios = [create, health],\n"
                          "             faults = [db_down, disk_full],\n"
                          "             default_expect = lambda r: assert_true(r != None),\n"
                          "             exclude = [(health, disk_full)])\n");
  EXPECT_EQ(names_of(spec), (Lines{"test_matrix_create_db_down", "test_matrix_create_disk_full",
                                   "test_matrix_health_db_down"}));
  const dsl::Test& cell = spec.tests()[2];
  ASSERT_TRUE(cell.cell);
  EXPECT_EQ(cell.cell->matrix, 1U);
  EXPECT_EQ(cell.cell->scenario, "health");
  EXPECT_EQ(cell.cell->fault, "db_down");
  EXPECT_EQ(cell.control, "control.health");
  EXPECT_EQ(cell.description, "no database — at all");
  EXPECT_EQ(spec.tests()[0].control, spec.tests()[1].control) << "one control for all cells";
}

TEST_F(Matrix, S1_40_S2_2_AnOverrideJudgesItsCellAndTheDefaultTheOthers) {
  Spec& spec = load(kScenarios + kFaults +
                    "fault_matrix(scenarios = [create], faults = [db_down, disk_full],\n"
                    "    default_expect = lambda r: assert_eq(r.status, 1, \"default\"),\n"
                    "    overrides = {(create, disk_full): lambda r: (\n"
                    "        assert_eq(r.status, 200), assert_eq(r.status, 2, \"own\"),)})\n");
  EXPECT_THAT(spec.run_test("test_matrix_create_db_down", host_).finding->message,
              HasSubstr("default: expected 1"));
  EXPECT_THAT(spec.run_test("test_matrix_create_disk_full", host_).finding->message,
              HasSubstr("own: expected 2"));
}

TEST_F(Matrix, S1_47_ACellThatNobodyJudgesHasNoOracle) {
  Spec& spec = load(kScenarios + kFaults +
                    "fault_matrix(scenarios = [create], faults = [db_down, disk_full],\n"
                    "    overrides = {(create, disk_full): lambda r: None})\n");
  EXPECT_FALSE(test_of(spec, "test_matrix_create_db_down").has_oracle);
  EXPECT_TRUE(test_of(spec, "test_matrix_create_disk_full").has_oracle);
  EXPECT_TRUE(spec.run_test("test_matrix_create_db_down", host_).completed);
}

TEST_F(Matrix, S1_22_S2_12_ANameGivenTwiceMeansTheLaterAssumption) {
  Spec& spec = load(kScenarios + kFaults +
                    "fault_matrix(scenarios = [health], faults = [db_down])\n"
                    "db_down = fault_assumption(\"db_down\", target = db, fsync = deny(\"EIO\"))\n"
                    "fault_matrix(scenarios = [create], faults = [db_down],\n"
                    "             overrides = {(create, db_down): lambda r: None})\n");
  const dsl::Test& cell = test_of(spec, "test_matrix_create_db_down");
  ASSERT_EQ(cell.declared.size(), 1U);
  EXPECT_EQ(cell.declared[0].syscall().family(), "fsync");
  const dsl::Test& before = test_of(spec, "test_matrix_health_db_down");
  ASSERT_EQ(before.declared.size(), 1U);
  EXPECT_EQ(before.declared[0].syscall().family(), "connect") << "it was made with the first";
}

TEST_F(Matrix, S1_28_AnAssumptionMadeOfOthersHasTheRulesOfAll) {
  const Spec& spec =
      load(kScenarios + kFaults +
           "insert = fault_assumption(\"insert\", target = db.main, rules = [\n"
           "    error(query = \"INSERT*\", message = \"disk full\", label = \"no insert\")])\n"
           "both = fault_assumption(\"cascade\", faults = [db_down, insert],\n"
           "                        target = db, fsync = delay(\"1s\"), label = \"slow\")\n"
           "fault_scenario(\"x\", scenario = create, faults = [both, insert])\n");
  Lines ids;
  for (const model::Rule& rule : spec.tests()[0].declared) ids.push_back(rule.id());
  EXPECT_EQ(ids, (Lines{"x/1", "no insert", "slow", "no insert#2"}));
}

TEST_F(Matrix, S1_18_TwoAssumptionsThatDoTheSameAreNoted) {
  const std::string again =
      "cache_down = fault_assumption(\"cache_down\", target = api,\n"
      "                              connect = deny(\"ECONNREFUSED\"), to = db)\n"
      "fault_matrix(scenarios = [create, health], faults = [db_down, cache_down, disk_full])\n";
  EXPECT_THAT(notes_of(load(kScenarios + kFaults + again)),
              ElementsAre("cache_down does the same as db_down: one of them does not say what it "
                          "means"));
  std::string narrowed = again;
  narrowed.replace(narrowed.find("to = db"), 7, "to = db.main");
  EXPECT_THAT(notes_of(load(kScenarios + kFaults + narrowed)), ElementsAre());
}

TEST_F(Matrix, AControlIsTheScenarioWithoutFaults) {
  Spec& spec =
      load(kScenarios + kFaults + "fault_matrix(scenarios = [create], faults = [db_down])\n");
  EXPECT_TRUE(spec.run_control("control.create", host_).completed);
  EXPECT_EQ(host_.log(), (Lines{"POST /users -> api.public"}));
  host_.on_step = [](const StepCall&) { return StepReply{.status = 503}; };
  EXPECT_THAT(spec.run_control("control.create", host_).finding->message,
              HasSubstr("got status 503"));
  host_.on_step = [](const StepCall&) { return StepReply{.status = 404}; };
  EXPECT_TRUE(spec.run_control("control.create", host_).completed) << "an answer all the same";
  host_.on_step = [](const StepCall&) { return StepReply{.error = "connection refused"}; };
  EXPECT_THAT(spec.run_control("control.create", host_).finding->message,
              HasSubstr("no answer: connection refused"));
}

TEST_F(Matrix, ControlSaysWhatMustHoldWithoutFaults) {
  Spec& spec = load(kScenarios + kFaults +
                    "fault_matrix(scenarios = [create], faults = [db_down],\n"
                    "             control = lambda r: assert_eq(r.status, 503))\n");
  EXPECT_FALSE(spec.run_control("control.create", host_).completed);
  host_.on_step = [](const StepCall&) { return StepReply{.status = 503}; };
  EXPECT_TRUE(spec.run_control("control.create", host_).completed);
}

TEST_F(Matrix, S2_3_S2_7_S2_25_MonitorsOfAnAssumptionAreThoseOfItsTestsAndOfTheirControl) {
  Spec& spec =
      load(kScenarios +
           "no_users = never(where = {\"type\": \"step_send\"}, name = \"no users\")\n"
           "down = fault_assumption(\"down\", target = api, connect = deny(\"ECONNREFUSED\"),\n"
           "                        monitors = [no_users])\n"
           "both = fault_assumption(\"both\", faults = [down])\n"
           "fault_matrix(scenarios = [create], faults = [both])\n"
           "fault_scenario(\"plain\", scenario = create)\n");
  host_.happen({.service = "test", .type = "step_send"});
  EXPECT_EQ(spec.run_test("test_matrix_create_both", host_).violations.size(), 1U);
  EXPECT_EQ(spec.run_control("control.create", host_).violations.size(), 1U);
  EXPECT_TRUE(spec.run_test("plain", host_).violations.empty()) << "nothing is assumed";
}

TEST_F(Matrix, FamiliesAreSeenOfTheTargetsAlone) {
  const Spec& spec =
      load(kScenarios + kFaults + "fault_matrix(scenarios = [create], faults = [disk_full])\n");
  EXPECT_EQ(spec.families_of("postgres"), (std::set<std::string>{"connect", "write"}));
  EXPECT_EQ(spec.families_of("api"), (std::set<std::string>{"connect"}));
}

TEST_F(Matrix, MistakesAreShownWhereTheyAre) {
  const std::string before = kScenarios + kFaults;
  const std::pair<std::string_view, std::string_view> kMistakes[] = {
      {"fault_assumption(\"x\", write = deny(\"EIO\"))", "missing argument for target"},
      {"fault_assumption(\"x\", target = db)", "no rule is given"},
      {"fault_assumption(\"a b\", target = db, write = deny(\"EIO\"))",
       "holds more than letters, digits, - and _"},
      {"fault_assumption(\"x\", target = db, wirte = deny(\"EIO\"))",
       "unexpected keyword argument \"wirte\""},
      {"fault_assumption(\"x\", target = db, write = error(query = \"*\"))",
       "fault_assumption: error() acts on traffic"},
      {"fault_assumption(\"x\", target = db, write = deny(\"EIO\"), monitors = [1])",
       "monitors= is a "},
      {"fault_matrix(scenarios = [create], faults = [])", "faults= is empty"},
      {"fault_matrix(scenarios = [], faults = [db_down])", "scenarios= is empty"},
      {"fault_matrix(scenarios = [lambda: 1], faults = [db_down])", "scenarios= holds a lambda"},
      {"fault_matrix(scenarios = [create], faults = [db_down], overrides = {(health, db_down): "
       "lambda r: 1})",
       "overrides= speaks of health, which is none of the scenarios"},
      {"fault_matrix(scenarios = [create], faults = [db_down], exclude = [(create, disk_full)])",
       "exclude= speaks of disk_full, which is none of the faults"},
      {"fault_matrix(scenarios = [create], faults = [db_down], exclude = [(create, db_down)])",
       "every cell is excluded"},
      {"fault_matrix(scenarios = [create], faults = [db_down, db_down])",
       "there are two tests called test_matrix_create_db_down"},
      {"fault_scenario(\"x\", scenario = create())",
       "post cannot be called at the top level of a spec"},
      {"fault_scenario(\"x\", scenario = create, expect = 5)", "expect= wants a function"},
      {"fault_scenario(\"x\", scenario = create, faults = [create])", "faults= holds a function"},
  };
  for (const auto& [text, problem] : kMistakes) {
    EXPECT_THAT(only_problem(before + std::string(text) + "\n"), HasSubstr(problem)) << text;
  }
}

TEST_F(Matrix, ATestCannotBeCalledAsAnother) {
  EXPECT_THAT(only_problem(kScenarios + "def test_a():\n    pass\n"
                                        "fault_scenario(\"test_a\", scenario = health)\n"),
              HasSubstr("there are two tests called test_a"));
}

}  // namespace
}  // namespace misrule::dsl
