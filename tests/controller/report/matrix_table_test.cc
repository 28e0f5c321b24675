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

}  // namespace
}  // namespace misrule::controller
