#include "controller/launch/command.h"

#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

TEST(Command, GivesItsOutputBack) {
  const auto said = run_command({.argv = {"/bin/cat"}, .input = "hello\n"});
  ASSERT_TRUE(said.has_value()) << said.error().what;
  EXPECT_EQ(*said, "hello\n");
}

TEST(Command, MoreThanAPipeHoldsGoesThrough) {
  const std::string much(1U << 20U, 'x');
  const auto said = run_command({.argv = {"/bin/cat"}, .input = much});
  ASSERT_TRUE(said.has_value()) << said.error().what;
  EXPECT_EQ(said->size(), much.size());
}

TEST(Command, AFailureSaysItsLastWords) {
  const auto said = run_command({.argv = {"/bin/sh", "-c", "echo first; echo last >&2; exit 3"}});
  ASSERT_FALSE(said.has_value());
  EXPECT_EQ(said.error().code, Code::kIo);
  EXPECT_EQ(said.error().what, "/bin/sh exited with 3\nfirst\nlast");
}

TEST(Command, AProgramThatIsNotThereIsAFailure) {
  EXPECT_FALSE(run_command({.argv = {"/no/such/program"}}).has_value());
}

TEST(Command, IsEndedAtItsDeadline) {
  const auto said =
      run_command({.argv = {"/bin/sleep", "60"}, .timeout = std::chrono::milliseconds(50)});
  ASSERT_FALSE(said.has_value());
  EXPECT_EQ(said.error().code, Code::kTimeout);
}

TEST(LastLines, CountsFromTheEnd) {
  EXPECT_EQ(last_lines("a\nb\nc\n", 2), "b\nc");
  EXPECT_EQ(last_lines("a\nb", 5), "a\nb");
  EXPECT_EQ(last_lines("", 5), "");
}

}  // namespace
}  // namespace misrule::controller
