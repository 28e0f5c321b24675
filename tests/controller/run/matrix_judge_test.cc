// Verdicts of cells that need more than their own world: controls, assumptions that never fire.

#include "controller/run/matrix_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/run/judge.h"

namespace misrule::controller {
namespace {

using model::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;

model::RuleReport rule(std::uint64_t fired) {
  return {.id = "full", .description = "write -> ENOSPC", .tally = {.fired = fired}};
}

model::TestReport cell(const std::string& fault, std::uint64_t fired, Outcome outcome,
                       std::size_t of = 2) {
  return {
      .test = "test_matrix_x_" + fault,
      .cell = {.spec = "a.star", .matrix = 1, .scenario = "x", .fault = fault, .fault_cells = of},
      .outcome = outcome,
      .rules = {rule(fired)}};
}

TEST(CellJudgeTest, ARuleThatNeverFiredInACellLeavesItNotExercised) {
  TestCourse course = {.body = dsl::BodyResult{.completed = true}, .rules = {rule(0)}};
  EXPECT_EQ(judge(course).outcome, Outcome::kFailed) << "asked for one to one";
  course.is_cell = true;
  EXPECT_EQ(judge(course).outcome, Outcome::kNotExercised);
  EXPECT_THAT(judge(course).findings.front().message, HasSubstr("never fired"));
  course.has_oracle = false;
  EXPECT_EQ(judge(course).outcome, Outcome::kNotExercised) << "that weighs more";
  course.rules = {rule(1)};
  EXPECT_EQ(judge(course).outcome, Outcome::kNoOracle);
  EXPECT_TRUE(judge(course).findings.empty());
  course.has_oracle = true;
  EXPECT_EQ(judge(course).outcome, Outcome::kPassed);
}

TEST(CellJudgeTest, WhatMayStayUnfiredPassesNoCellByStayingSo) {
  model::RuleReport optional = rule(0);
  optional.may_stay_unfired = true;
  TestCourse course = {.body = dsl::BodyResult{.completed = true}, .rules = {optional}};
  EXPECT_EQ(judge(course).outcome, Outcome::kPassed) << "asked for one to one";
  course.is_cell = true;
  EXPECT_EQ(judge(course).outcome, Outcome::kNotExercised);
  course.rules.push_back(rule(1));
  EXPECT_EQ(judge(course).outcome, Outcome::kPassed);

  std::vector<model::TestReport> reports = {cell("sync", 0, Outcome::kNotExercised, 1)};
  EXPECT_EQ(fail_silent_faults(reports).size(), 1U) << "the control";
  reports = {cell("sync", 0, Outcome::kNotExercised, 1)};
  reports[0].rules = {optional};
  EXPECT_TRUE(fail_silent_faults(reports).empty());
  EXPECT_EQ(reports[0].outcome, Outcome::kNotExercised);
}

TEST(CellJudgeTest, AnAssertionWeighsMoreThanAFaultThatNeverFired) {
  const TestCourse course = {
      .body = dsl::BodyResult{.finding = model::Finding{.message = "assert_eq"}},
      .rules = {rule(0)},
      .is_cell = true,
      .has_oracle = false};
  EXPECT_EQ(judge(course).outcome, Outcome::kFailed);
}

TEST(CellJudgeTest, NeitherOutcomeFailsARun) {
  const auto code = [](Outcome outcome) {
    return model::exit_code(std::vector<model::TestReport>{{.outcome = outcome}});
  };
  EXPECT_EQ(code(Outcome::kNotExercised), 0);
  EXPECT_EQ(code(Outcome::kNoOracle), 0);
}

TEST(ControlTest, WhatHasNoControlIsInvalidAndSaysWhatTheControlSaid) {
  model::TestReport control = {.test = "control.x", .outcome = Outcome::kFailed};
  control.findings.push_back({.message = "got status 503"});
  const RunPlan::Test test = {.name = "test_matrix_x_full", .cell = {.matrix = 1, .fault = "full"}};
  const model::TestReport report = report_without_control(control, test);
  EXPECT_EQ(report.outcome, Outcome::kInvalid);
  EXPECT_EQ(report.test, "test_matrix_x_full");
  EXPECT_EQ(report.cell.fault, "full");
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_THAT(report.findings[0].message, HasSubstr("control does not hold"));
  EXPECT_EQ(report.findings[1].message, "got status 503");
  control.outcome = Outcome::kError;
  EXPECT_EQ(report_without_control(control, test).outcome, Outcome::kError);
  control.outcome = Outcome::kInterrupted;
  EXPECT_EQ(report_without_control(control, test).outcome, Outcome::kInterrupted);
}

TEST(SilentFaults, AnAssumptionThatFiresInNoneOfItsCellsFailsThemAll) {
  std::vector<model::TestReport> reports = {
      cell("sync", 0, Outcome::kNotExercised), cell("full", 0, Outcome::kNotExercised),
      cell("sync", 0, Outcome::kNotExercised), cell("full", 3, Outcome::kPassed)};
  EXPECT_THAT(fail_silent_faults(reports), ElementsAre(0U, 2U));
  EXPECT_EQ(reports[0].outcome, Outcome::kFailed);
  EXPECT_EQ(reports[0].findings[0].message, "sync fires in none of its 2 cells");
  EXPECT_EQ(reports[1].outcome, Outcome::kNotExercised) << "it fires in the other";
}

TEST(SilentFaults, NothingIsSaidOfAnAssumptionOfWhichSomeCellsDidNotRun) {
  std::vector<model::TestReport> reports = {cell("sync", 0, Outcome::kNotExercised)};
  EXPECT_TRUE(fail_silent_faults(reports).empty());
  reports.push_back(cell("sync", 0, Outcome::kInvalid));
  reports.back().rules.clear();
  EXPECT_TRUE(fail_silent_faults(reports).empty());
  reports.back() = cell("sync", 0, Outcome::kFailed);
  EXPECT_THAT(fail_silent_faults(reports), ElementsAre(0U)) << "what has failed says why itself";
}

}  // namespace
}  // namespace misrule::controller
