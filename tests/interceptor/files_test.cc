// read, write, fsync and open on files: every member of the families, paths, kinds.

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/interceptor/harness.h"

namespace misrule::interceptor {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

struct FamilyCase {
  const char* family;
  const char* program;
  int error;
  const char* errno_name;
  std::uint64_t calls;  // Of the family on the file.
};

class FileFamilies : public ::testing::TestWithParam<FamilyCase> {};

TEST_P(FileFamilies, EveryMemberIsDenied) {
  const FamilyCase& c = GetParam();
  const TestFolder folder;
  const std::string file = folder.path() + "/target";
  std::ofstream(file) << std::string(100, 'x');
  Bench bench;
  const ServiceRun control = {.argv = {program(c.program), file}, .families = {c.family}};
  EXPECT_THAT(bench.run(control).output, HasSubstr("EXIT-SUCCESS"));

  bench.arm({deny(rule_on("fault", c.family, "*/target"), c.errno_name)});
  const Ended ended = bench.run(
      {.argv = {program(c.program), file, std::to_string(c.error)}, .families = {c.family}});
  EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_GE(bench.tally("fault").fired, c.calls);
  std::vector<std::string> paths;
  for (const auto& event : bench.sink.of_type("syscall")) {
    EXPECT_EQ(text_of(event, "syscall"), c.family);
    EXPECT_EQ(text_of(event, "decision"), fmt::format("deny({})", c.errno_name));
    EXPECT_NE(text_of(event, "pid"), "");
    paths.push_back(text_of(event, "path"));
  }
  EXPECT_THAT(paths, Each(file));
  EXPECT_EQ(paths.size(), bench.tally("fault").fired);
}

INSTANTIATE_TEST_SUITE_P(All, FileFamilies,
                         ::testing::Values(FamilyCase{"write", "write_family", ENOSPC, "ENOSPC", 7},
                                           FamilyCase{"read", "read_family", EIO, "EIO", 7},
                                           FamilyCase{"fsync", "fsync_family", EIO, "EIO", 5}),
                         [](const auto& each) { return std::string(each.param.family); });

TEST(Open, EverySpellingOfAPathIsTheCanonicalOne) {
  const TestFolder folder;
  Bench bench;
  const ServiceRun control = {.argv = {program("open_family"), folder.path()},
                              .families = {"open"}};
  EXPECT_THAT(bench.run(control).output, HasSubstr("EXIT-SUCCESS"));
  for (const bool exists : {true, false}) {
    if (!exists) std::filesystem::remove(folder.path() + "/real/target");
    bench.arm({deny(rule_on("fault", "open", folder.path() + "/real/target"), "EACCES")});
    const std::uint64_t before = bench.tally("fault").fired;
    const Ended ended =
        bench.run({.argv = {program("open_family"), folder.path(), std::to_string(EACCES)},
                   .families = {"open"}});
    EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
    EXPECT_EQ(bench.tally("fault").fired - before, 9U);
  }
}

TEST(Open, AGlobBelowALinkedFolderIsTheFoldersOwn) {
  const TestFolder folder;
  std::filesystem::create_directory(folder.path() + "/real");
  std::filesystem::create_symlink("real", folder.path() + "/link");
  Bench bench;
  bench.arm({deny(rule_on("fault", "write", folder.path() + "/link/*"), "ENOSPC")});
  const Ended ended = bench.run(
      {.argv = {program("write_family"), folder.path() + "/real/x", std::to_string(ENOSPC)},
       .families = {"write"}});
  EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
}

TEST(Write, FollowsTheFilesCurrentName) {
  const TestFolder control_folder;
  const TestFolder folder;
  Bench bench;
  const auto names = [&](const std::string& path, int error) {
    return bench.run(
        {.argv = {program("file_names"), path, std::to_string(error)}, .families = {"write"}});
  };
  EXPECT_THAT(names(control_folder.path(), 0).output, HasSubstr("EXIT-SUCCESS"));
  bench.arm({deny(rule_on("fault", "write", "*hit"), "EDQUOT")});
  EXPECT_THAT(names(folder.path(), EDQUOT).output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench.tally("fault").fired, 6U);
}

TEST(Write, KindsAreToldApart) {
  const TestFolder folder;
  Bench bench;
  const auto kinds = [&](const std::string& failing, const std::string& service) {
    return bench.run(
        {.argv = {program("kinds"), folder.path() + "/x", std::to_string(EIO), failing},
         .families = {"write", "send"},
         .service = service});
  };
  EXPECT_EQ(kinds("", "api").exit_code, 0);
  bench.arm({deny(rule_on("plain", "write"), "EIO")});
  EXPECT_EQ(kinds("ft", "api").exit_code, 0);
  auto of_database = deny(rule_on("database", "write"), "EIO");
  of_database.mutable_target()->set_service("db");
  bench.arm({of_database});
  EXPECT_EQ(kinds("f", "db").exit_code, 0);
  for (const auto& [kind, failing] :
       {std::pair{"file", "f"}, {"socket", "tu"}, {"pipe", "p"}, {"stdio", "s"}}) {
    auto only = deny(rule_on(kind, "write"), "EIO");
    only.mutable_syscall()->set_fd_kind(kind);
    bench.arm({only});
    EXPECT_EQ(kinds(failing, "api").exit_code, 0) << kind;
  }
}

TEST(Write, EventsTellTheBytes) {
  const TestFolder folder;
  Bench bench;
  auto recorder = rule_on("recorder", "write", "*/x");
  bench.arm({recorder});
  bench.run({.argv = {program("write_family"), folder.path() + "/x"}, .families = {"write"}});
  const auto events = bench.sink.of_type("syscall");
  ASSERT_GE(events.size(), 7U);
  for (const auto& event : events) {
    EXPECT_EQ(text_of(event, "bytes"), "4") << text_of(event, "name");
    EXPECT_EQ(text_of(event, "decision"), "allow");
  }
  EXPECT_EQ(text_of(events[3], "name"), "pwritev");
}

TEST(Delay, IsATableNotAQueue) {
  const TestFolder folder;
  Bench bench;
  const auto threads = [&](const std::string& limit) {
    return bench.run(
        {.argv = {program("threads"), folder.path() + "/x", "64", limit}, .families = {"write"}});
  };
  EXPECT_THAT(threads("10000").output, HasSubstr("EXIT-SUCCESS"));
  bench.arm({delay(rule_on("slow", "write", "*/x"), 50)});
  // One after the other they would take 3.2 s.
  const Ended ended = threads("1500");
  EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench.tally("slow").fired, 64U);
  EXPECT_EQ(text_of(bench.sink.of_type("syscall")[0], "decision"), "delay(50ms)");
  EXPECT_EQ(bench.supervisor->counters().delayed, 64U);
}

TEST(Delay, IsNotInterruptedBySignals) {
  const TestFolder folder;
  Bench bench;
  bench.arm({delay(rule_on("slow", "write", "*/x"), 12)});
  const Ended ended =
      bench.run({.argv = {program("interval_timer"), folder.path() + "/x"}, .families = {"write"}});
  EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench.tally("slow").fired, 20U);
}

}  // namespace
}  // namespace misrule::interceptor
