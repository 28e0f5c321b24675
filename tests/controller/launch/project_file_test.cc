#include "controller/launch/project_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

using testing::HasSubstr;

/// "line:column message [help]" of what is wrong with the text.
std::string problem_in(std::string_view text) {
  const auto project = project_from_toml(text, "misrule.toml");
  if (project) return "nothing";
  const model::Finding& finding = project.error().finding;
  EXPECT_EQ(finding.position.file, "misrule.toml");
  return fmt::format("{}:{} {} [{}]", finding.position.line, finding.position.column,
                     finding.message, finding.hint);
}

TEST(ProjectFile, AnEntrySaysWhatRunsInPlaceOfAnImage) {
  const auto project = project_from_toml(R"(
[stand-ins."myapp:latest"]
command = ["python3", "app.py", "--fast"]
env = { WORKERS = "2", MODE = "" }
cwd = "api"
setup = ["make"]

[stand-ins."./api"]
command = ["./run"]
)",
                                         "misrule.toml");
  ASSERT_TRUE(project.has_value()) << project.error().rendered;
  const ProgramEntry* app = project->find({.image = "myapp:latest"});
  ASSERT_NE(app, nullptr);
  EXPECT_EQ(app->command, (std::vector<std::string>{"python3", "app.py", "--fast"}));
  EXPECT_EQ(app->setup, std::vector<std::string>{"make"});
  EXPECT_EQ(app->cwd, "api");
  const std::vector<std::pair<std::string, std::string>> env = {{"MODE", ""}, {"WORKERS", "2"}};
  EXPECT_EQ(app->env, env);
  ASSERT_NE(project->find({.build = "./api"}), nullptr);
  EXPECT_EQ(project->find({.build = "./api"})->command, std::vector<std::string>{"./run"});
  EXPECT_EQ(project->find({.build = "api"}), nullptr) << "a key is literal text";
  EXPECT_EQ(project->find({.image = "myapp"}), nullptr);
}

TEST(ProjectFile, AnEmptyFileOrNoneStandsInForNothing) {
  EXPECT_TRUE(project_from_toml("# later\n", "misrule.toml").has_value());
  const auto none = read_project_file(testing::TempDir() + "no/such/folder");
  ASSERT_TRUE(none.has_value());
  EXPECT_TRUE(none->stand_ins.empty());
}

TEST(ProjectFile, AnUnknownKeyIsRefusedWithTheNearestName) {
  EXPECT_EQ(problem_in("[stand-ins.\"a\"]\ncomand = [\"x\"]\n"),
            "2:1 [stand-ins.\"a\"] has no key \"comand\" (did you mean command?) "
            "[it has command, cwd, env, setup]");
  EXPECT_EQ(problem_in("# a file\n[stand-in.\"a\"]\ncommand = [\"x\"]\n"),
            "2:2 misrule.toml has no \"stand-in\" (did you mean stand-ins?) "
            "[it has [stand-ins.\"IMAGE OR BUILD DIRECTORY\"]]");
}

TEST(ProjectFile, WhatHasTheWrongKindIsRefusedAtItsPlace) {
  EXPECT_EQ(problem_in("[stand-ins.\"a\"]\ncommand = \"python3 app.py\"\n"),
            "2:11 command is no list of words [command = [\"python3\", \"app.py\"]; no shell reads "
            "it]");
  EXPECT_THAT(problem_in("[stand-ins.\"a\"]\ncommand = [\"x\", 8080]\n"),
              HasSubstr("2:17 a word of command is no text"));
  EXPECT_THAT(problem_in("[stand-ins.\"a\"]\ncommand = []\n"), HasSubstr("names no program"));
  EXPECT_THAT(problem_in("[stand-ins.\"a\"]\ncommand = [\"x\"]\nenv = { PORT = 80 }\n"),
              HasSubstr("3:16 env PORT is no text"));
  EXPECT_THAT(problem_in("[stand-ins.\"a\"]\ncommand = [\"x\"]\nenv = [\"A=b\"]\n"),
              HasSubstr("3:7 env is no table"));
  EXPECT_THAT(problem_in("[stand-ins.\"a\"]\ncommand = [\"x\"]\nenv = { \"A=B\" = \"c\" }\n"),
              HasSubstr("is no name of a variable"));
  EXPECT_THAT(problem_in("[stand-ins.\"a\"]\ncommand = [\"x\\u0000\"]\n"), HasSubstr("NUL"));
  EXPECT_THAT(problem_in("stand-ins = 3\n"), HasSubstr("1:13 stand-ins is no table"));
  EXPECT_THAT(problem_in("[stand-ins]\na = [\"x\"]\n"), HasSubstr("stand-ins.\"a\" is no table"));
  EXPECT_THAT(problem_in("[stand-ins.\"a\"]\ncwd = \"b\"\n"),
              HasSubstr("1:12 [stand-ins.\"a\"] does not say what runs"));
}

TEST(ProjectFile, WhatIsNoTomlIsShownWithItsLine) {
  const auto project =
      project_from_toml("[stand-ins.\"a\"]\ncommand = [\"ä\", x]\n", "p/misrule.toml");
  ASSERT_FALSE(project.has_value());
  EXPECT_EQ(project.error().finding.position.line, 2U);
  EXPECT_EQ(project.error().finding.source_line, "command = [\"ä\", x]");
  EXPECT_THAT(project.error().rendered, HasSubstr("p/misrule.toml:2:"));
  EXPECT_THAT(project.error().rendered, HasSubstr("command = [\"ä\", x]"));
  EXPECT_THAT(project.error().rendered, HasSubstr("= help: the file is TOML"));
}

TEST(ProjectFile, GarbageIsRefusedAndNothingElse) {
  for (const std::string_view text :
       {std::string_view("\xff\xfe\x00", 3), std::string_view("[["), std::string_view("\""),
        std::string_view("a = "), std::string_view("[stand-ins.\"x\n")}) {
    EXPECT_NE(problem_in(text), "nothing") << text;
  }
}

}  // namespace
}  // namespace misrule::controller
