// Matrices as tables on a terminal.

#include "controller/report/matrix_table.h"

#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

using model::Outcome;

model::TestReport cell(const std::string& scenario, const std::string& fault, Outcome outcome,
                       std::size_t matrix = 1) {
  return {.cell = {.spec = "a.star", .matrix = matrix, .scenario = scenario, .fault = fault},
          .outcome = outcome};
}

TEST(MatrixTable, ScenariosStandBelowEachOtherAndFaultsSideBySide) {
  const std::vector<model::TestReport> reports = {
      cell("create_order", "db_down", Outcome::kPassed),
      cell("create_order", "slow", Outcome::kNotExercised),
      {.test = "test_other", .outcome = Outcome::kFailed},
      cell("health", "db_down", Outcome::kInvalid)};
  EXPECT_EQ(matrix_tables(reports, 100, Paint(false)),
            "                db_down    slow\n"
            "  create_order  ✓ passed   ○ not exercised\n"
            "  health        ✗ invalid  ·\n");
}

TEST(MatrixTable, EveryMatrixHasItsOwn) {
  const std::vector<model::TestReport> reports = {cell("a", "f", Outcome::kPassed),
                                                  cell("b", "g", Outcome::kNoOracle, 2)};
  EXPECT_EQ(matrix_tables(reports, 100, Paint(false)),
            "     f\n"
            "  a  ✓ passed\n"
            "     g\n"
            "  b  ○ no oracle\n");
  EXPECT_EQ(matrix_tables({{.test = "test_x"}}, 100, Paint(false)), "");
}

TEST(MatrixTable, WhereThereIsNoRoomMarksMustDo) {
  const std::vector<model::TestReport> reports = {
      cell("a", "a_fault_with_a_long_name", Outcome::kFailed),
      cell("a", "another_fault_with_a_long_name", Outcome::kPassed)};
  EXPECT_EQ(matrix_tables(reports, 40, Paint(false)),
            "     a_fault_with_…  another_fault…\n"
            "  a  ✗               ✓\n");
}

TEST(MatrixTable, ColoursChangeNoColumn) {
  const std::vector<model::TestReport> reports = {cell("a", "f", Outcome::kPassed)};
  EXPECT_EQ(matrix_tables(reports, 100, Paint(true)),
            "\x1b[1m     f\x1b[0m\n  a  \x1b[32m✓\x1b[0m passed\n");
}

TEST(MatrixTable, WhatHasNoRoomEvenSoGoesOnBelow) {
  std::vector<model::TestReport> reports;
  for (const char* fault : {"f1", "f2", "f3", "f4", "f5"}) {
    reports.push_back(cell("a_scenario_with_a_name", fault, Outcome::kPassed));
  }
  EXPECT_EQ(matrix_tables(reports, 24, Paint(false)),
            "                  f1  f2\n"
            "  a_scenario_wi…  ✓   ✓\n"
            "                  f3  f4\n"
            "  a_scenario_wi…  ✓   ✓\n"
            "                  f5\n"
            "  a_scenario_wi…  ✓\n");
}

LiveCell live(const std::string& scenario, const std::string& fault,
              std::optional<Outcome> outcome = std::nullopt, bool running = false) {
  return {
      .place = cell(scenario, fault, Outcome::kError).cell, .outcome = outcome, .running = running};
}

TEST(MatrixTable, WhileItIsRunItFills) {
  const std::vector<LiveCell> cells = {live("a", "f", Outcome::kPassed), live("a", "g"),
                                       live("b", "f", std::nullopt, true)};
  EXPECT_EQ(
      live_matrix(cells, 80, 10, Paint(false)),
      (std::vector<std::string>{"     f          g", "  a  ✓ passed   …", "  b  ▸ running  ·"}));
}

TEST(MatrixTable, ALowTerminalShowsWhatIsAroundTheCellThatRuns) {
  std::vector<LiveCell> cells;
  for (const char* scenario : {"a", "b", "c", "d", "e"}) cells.push_back(live(scenario, "f"));
  cells[3].running = true;
  EXPECT_EQ(live_matrix(cells, 80, 3, Paint(false)),
            (std::vector<std::string>{"     f", "  c  …", "  d  ▸ running"}));
  cells[3].running = false;
  cells[0].running = true;
  EXPECT_EQ(live_matrix(cells, 80, 3, Paint(false)),
            (std::vector<std::string>{"     f", "  a  ▸ running", "  b  …"}));
  EXPECT_EQ(live_matrix(cells, 80, 1, Paint(false)), std::vector<std::string>());
}

}  // namespace
}  // namespace misrule::controller
