#include "controller/report/again.h"

#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

const RunPlan::Test kTest = {.file = "shop.star", .name = "test_a"};

TEST(Again, PlainRunNeedsOnlyFileTestAndSeed) {
  EXPECT_EQ(again_command("misrule", {}, kTest, 7),
            "misrule test shop.star --test test_a --seed 7");
}

TEST(Again, EverythingThatChangesARunIsRepeated) {
  const RunRequest request = {.timeout = std::chrono::seconds(2),
                              .strict = true,
                              .backend = "native",
                              .host_network = true,
                              .rules_file = "my rules.yaml",
                              .set = {{"BUG", "it's"}, {"N", "1"}}};
  EXPECT_EQ(again_command("./bin/misrule", request, kTest, 1),
            "./bin/misrule test shop.star --test test_a --seed 1 --set 'BUG=it'\\''s' --set N=1 "
            "--timeout 2000ms --backend native --network host --rules 'my rules.yaml' --strict");
}

TEST(Again, ASpecThatCannotBeLoadedIsChecked) {
  EXPECT_EQ(check_command("misrule", {.seed = 7, .set = {{"BUG", "x"}}}, "a b.star"),
            "misrule check 'a b.star' --set BUG=x");
}

TEST(Again, ShellWordsAreQuotedOnlyWhereTheyMust) {
  EXPECT_EQ(shell_quoted("examples/shop.star"), "examples/shop.star");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell_quoted("$(x)"), "'$(x)'");
  EXPECT_EQ(shell_quoted("a*"), "'a*'");
  EXPECT_EQ(shell_quoted("~/x"), "'~/x'");
}

}  // namespace
}  // namespace misrule::controller
