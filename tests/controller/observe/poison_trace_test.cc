#include "controller/observe/poison_trace.h"

#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "codecs/postgres/replies.h"
#include "controller/observe/service_output.h"

namespace misrule::controller {
namespace {

TEST(PoisonTraceTest, TakesWhatBelongsToAMadeUpStatementAndNothingElse) {
  static_assert(kPoisonMark == codecs::postgres::kPoisonMark);
  PoisonTrace trace;
  const auto takes = [&trace](std::string_view line) { return trace.takes(line); };
  const std::string prefix = "2026-11-21 18:00:00.123 UTC [7] ";
  EXPECT_FALSE(takes(prefix + "ERROR:  relation \"t\" does not exist at character 13"));
  EXPECT_FALSE(takes(prefix + "STATEMENT:  INSERT INTO t"));
  EXPECT_FALSE(takes("\tVALUES (1)"));
  EXPECT_TRUE(takes(prefix + "ERROR:  column \"misrule_fault_1\" does not exist at character 8"));
  EXPECT_TRUE(takes(prefix + "STATEMENT:  INSERT INTO t"));
  EXPECT_TRUE(takes("\tVALUES (1); "));
  EXPECT_TRUE(takes("\tSELECT misrule_fault_1; SELECT 3"));
  EXPECT_FALSE(takes(prefix + "ERROR:  current transaction is aborted"));
  EXPECT_FALSE(takes(prefix + "STATEMENT:  SELECT 2"));
  // Told by a client: the line itself, and a caret below it.
  EXPECT_TRUE(takes("LINE 1: SELECT misrule_fault_1"));
  EXPECT_TRUE(takes("               ^"));
  EXPECT_FALSE(takes("api is up"));
}

class Marks final : public model::EventSink {
 public:
  std::uint64_t emit(model::Event event) override {
    injected.push_back(model::is_injected(event));
    return injected.size();
  }
  std::vector<bool> injected = {};
};

TEST(PoisonTraceTest, OnlyLinesOfADatabaseAreMarked) {
  const std::string lines = "up\nERROR:  column \"misrule_fault_1\" does not exist\n";
  for (const bool is_postgres : {false, true}) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    Marks marks;
    OutputBudget budget;
    ServiceOutput output({.origin = {.service = "db", .stream = "stderr"},
                          .pipe = UniqueFd(ends[0]),
                          .budget = budget,
                          .is_postgres = is_postgres},
                         marks);
    EXPECT_EQ(::write(ends[1], lines.data(), lines.size()), static_cast<ssize_t>(lines.size()));
    ::close(ends[1]);
    EXPECT_FALSE(output.drain());
    EXPECT_EQ(marks.injected, (std::vector<bool>{false, is_postgres}));
  }
}

}  // namespace
}  // namespace misrule::controller
