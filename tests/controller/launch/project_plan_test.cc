// Plans of services for which a command of misrule.toml stands in.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "controller/launch/native/stand_in.h"
#include "controller/launch/service_plan.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

class ProjectPlanTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "projectXXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    options_.spec_file = folder_ + "/shop.star";
    write("shop.star", "# a spec\n");
    write("api/app.py", "#!/usr/bin/python3\n");
    fs::permissions(folder_ + "/api/app.py", fs::perms::owner_all);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name) << text;
  }
  std::string read(const std::string& name) {
    std::ifstream file(folder_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  auto plan(const model::Service& service) {
    return plan_services({.services = {service}}, options_);
  }
  std::string failure(const model::Service& service) {
    const auto plans = plan(service);
    return plans ? "none" : plans.error().what;
  }

  static model::Service image() { return {.name = "api", .image = "myapp:latest"}; }
  static model::Service build() { return {.name = "api", .build = "./api"}; }

  std::string folder_;
  LaunchOptions options_;
};

TEST_F(ProjectPlanTest, ACommandRunsInPlaceOfAnImage) {
  ::setenv("SECRET_OF_THE_MACHINE", "x", 1);
  write("misrule.toml",
        "[stand-ins.\"myapp:latest\"]\ncommand = [\"api/app.py\", \"--fast\"]\n"
        "env = { PORT = \"1\", MODE = \"stand-in\" }\n");
  model::Service service = image();
  service.env = {{"PORT", "8080"}};
  service.args = {"--more"};
  const auto plans = plan(service);
  ASSERT_TRUE(plans.has_value()) << plans.error().what;
  EXPECT_EQ(plans->front().note, "myapp:latest → api/app.py --fast");
  const auto process = materialise_service(plans->front(), folder_);
  ASSERT_TRUE(process.has_value()) << process.error().what;
  EXPECT_EQ(process->argv, (std::vector<std::string>{folder_ + "/api/app.py", "--fast", "--more"}));
  EXPECT_EQ(fs::path(process->cwd), fs::path(folder_ + "/")) << "the file's folder";
  EXPECT_THAT(process->env, Contains(Pair("PORT", "8080"))) << "the spec's wins";
  EXPECT_THAT(process->env, Contains(Pair("MODE", "stand-in")));
  EXPECT_THAT(process->env, Contains(Pair("PYTHONUNBUFFERED", "1")));
  EXPECT_EQ(process->env.size(), 7U) << "PATH, HOME, LANG, TZ and PYTHONUNBUFFERED beside them";
}

// S0-6: build="./api" is a directory beside the spec, and the command works in it.
TEST_F(ProjectPlanTest, S0_6_ACommandRunsInTheDirectoryThatWouldBeBuilt) {
  write("misrule.toml", "[stand-ins.\"./api\"]\ncommand = [\"python3\", \"app.py\"]\n");
  const auto plans = plan(build());
  ASSERT_TRUE(plans.has_value()) << plans.error().what;
  auto process = materialise_service(plans->front(), folder_);
  ASSERT_TRUE(process.has_value()) << process.error().what;
  EXPECT_EQ(process->cwd, folder_ + "/api");
  EXPECT_TRUE(process->argv.front().ends_with("/python3"));
  EXPECT_EQ(process->argv.back(), "app.py");

  write("misrule.toml",
        "[stand-ins.\"./api\"]\ncommand = [\"python3\", \"api/app.py\"]\ncwd = \".\"\n");
  const auto elsewhere = plan(build());
  ASSERT_TRUE(elsewhere.has_value()) << elsewhere.error().what;
  process = materialise_service(elsewhere->front(), folder_);
  EXPECT_EQ(fs::path(process->cwd), fs::path(folder_ + "/")) << "cwd= is relative to misrule.toml";
}

TEST_F(ProjectPlanTest, WhatIsNotThereIsNamedWithItsEntry) {
  const std::string place =
      "service \"api\": " + folder_ + "/misrule.toml: [stand-ins.\"./api\"]: ";
  write("misrule.toml", "[stand-ins.\"./api\"]\ncommand = [\"./app.py\"]\n");
  EXPECT_EQ(failure(build()), place + "command " + folder_ + "/app.py does not exist");
  EXPECT_EQ(plan(build()).error().field, "build");
  write("misrule.toml", "[stand-ins.\"./api\"]\ncommand = [\"nosuchprogram\"]\n");
  EXPECT_THAT(failure(build()), HasSubstr("command \"nosuchprogram\" is not on PATH"));
  write("misrule.toml", "[stand-ins.\"./api\"]\ncommand = [\"sh\"]\nsetup = [\"nosuchprogram\"]\n");
  EXPECT_THAT(failure(build()), HasSubstr("setup \"nosuchprogram\" is not on PATH"));
  write("misrule.toml", "[stand-ins.\"./api\"]\ncommand = [\"sh\"]\ncwd = \"nosuchfolder\"\n");
  EXPECT_EQ(failure(build()), place + "cwd " + folder_ + "/nosuchfolder does not exist");
  write("misrule.toml", "[stand-ins.\"./ipa\"]\ncommand = [\"sh\"]\n");
  model::Service other = build();
  other.build = "./ipa";
  EXPECT_THAT(failure(other), HasSubstr("build " + folder_ + "/ipa is no directory"));
  write("misrule.toml", "[stand-ins.\"./api\"]\ncommand = [\"sh\"]\n");
  EXPECT_EQ(failure(build()), "none") << "the control";
}

TEST_F(ProjectPlanTest, WhatNothingStandsInForSaysHowToWriteTheEntry) {
  EXPECT_EQ(failure(image()),
            "service \"api\": nothing on this machine stands in for image \"myapp:latest\" (images "
            "that need no entry: postgres, redis); write into " +
                folder_ +
                "/misrule.toml: [stand-ins.\"myapp:latest\"] and, on the next line, command = "
                "[\"python3\", \"app.py\"]");
  EXPECT_EQ(plan(image()).error().code, Code::kUnsupported) << "the spec is right";
  EXPECT_THAT(failure(build()), HasSubstr("stands in for build \"./api\" (images"));
  write("misrule.toml", "[stand-ins.\"myapp:lates\"]\ncommand = [\"sh\"]\n");
  EXPECT_THAT(failure(image()), HasSubstr("(did you mean myapp:lates?)"));
}

TEST_F(ProjectPlanTest, AnEntryComesBeforeAKnownServer) {
  write("misrule.toml", "[stand-ins.\"redis:7\"]\ncommand = [\"sh\"]\n");
  model::Service redis = {.name = "cache", .image = "redis:7"};
  const auto plans = plan(redis);
  ASSERT_TRUE(plans.has_value()) << plans.error().what;
  EXPECT_EQ(plans->front().stand_in, nullptr);
  redis.image = "redis:6";
  EXPECT_FALSE(plan(redis).has_value() && plan(redis)->front().stand_in == nullptr);
}

TEST_F(ProjectPlanTest, S0_7_S1_1_S1_10_ADsnOfTheFileIsDoubtedAndWhatItNamesIsCreated) {
  if (!native::find_stand_in("postgres:16")->find_server()) GTEST_SKIP() << "no PostgreSQL";
  write("misrule.toml",
        "[stand-ins.\"myapp:latest\"]\ncommand = [\"api/app.py\"]\n"
        "env = { DSN = \"postgres://test@localhost/shop\" }\n");
  model::Service api = image();
  const model::Service db = {
      .name = "db",
      .interfaces = {{.name = "pg", .protocol = model::Protocol::kPostgres, .port = 5432}},
      .image = "postgres:16",
      .env = {{"POSTGRES_PASSWORD", "x"}}};
  const auto plans = plan_services({.services = {db, api}}, options_);
  ASSERT_TRUE(plans.has_value()) << plans.error().what;
  EXPECT_THAT((*plans)[0].roles_and_databases, testing::ElementsAre(Pair("test", "shop")));
  EXPECT_THAT((*plans)[1].warnings,
              testing::ElementsAre(testing::AllOf(
                  HasSubstr("warning"), HasSubstr("misrule.toml:3:15"),
                  HasSubstr("DSN names role \"test\" and database \"shop\", which the env of db "
                            "does not create"))));
  // The spec's own variable wins, and is doubted by whoever loads the spec.
  api.env = {{"DSN", "postgres://postgres@localhost/postgres"}};
  const auto others = plan_services({.services = {db, api}}, options_);
  ASSERT_TRUE(others.has_value()) << others.error().what;
  EXPECT_THAT((*others)[0].roles_and_databases, testing::IsEmpty());
  EXPECT_THAT((*others)[1].warnings, testing::IsEmpty());
}

TEST_F(ProjectPlanTest, AMistakeInTheFileIsToldWithItsPlace) {
  write("misrule.toml", "[stand-ins.\"a\"]\ncomand = [\"sh\"]\n");
  const auto plans = plan({.name = "api", .binary = "sh"});
  ASSERT_FALSE(plans.has_value()) << "of whatever the spec needs";
  ASSERT_TRUE(plans.error().in_project.has_value());
  EXPECT_EQ(plans.error().code, Code::kInvalid);
  EXPECT_EQ(plans.error().in_project->finding.position.line, 2U);
  EXPECT_THAT(plans.error().in_project->rendered, HasSubstr(folder_ + "/misrule.toml:2:1"));
}

TEST_F(ProjectPlanTest, SetupRunsOnceForAllServicesOfItsEntry) {
  write("misrule.toml",
        "[stand-ins.\"./api\"]\ncommand = [\"sh\"]\nenv = { WORD = \"hello\" }\n"
        "setup = [\"sh\", \"-c\", \"echo $WORD $SECRET >> ran\"]\n");
  model::Service second = build();
  second.name = "second";
  model::Service first = build();
  first.env = {{"SECRET", "of the spec"}};
  const auto plans = plan_services({.services = {first, second}}, options_);
  ASSERT_TRUE(plans.has_value()) << plans.error().what;
  std::vector<std::string> said;
  for (const ServicePlan& one : *plans) {
    const Status done =
        prepare_service(one, [&](std::string_view what) { said.emplace_back(what); });
    ASSERT_TRUE(done.has_value()) << done.error().what;
  }
  EXPECT_EQ(read("api/ran"), "hello\n") << "in the directory, with the entry's env alone";
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said.front(), HasSubstr("setup: "));
}

TEST_F(ProjectPlanTest, ASetupThatFailsIsToldWithWhatItPrinted) {
  write("misrule.toml",
        "[stand-ins.\"./api\"]\ncommand = [\"sh\"]\n"
        "setup = [\"sh\", \"-c\", \"echo no compiler; exit 3\"]\n");
  const auto plans = plan(build());
  ASSERT_TRUE(plans.has_value()) << plans.error().what;
  const Status done = prepare_service(plans->front(), [](std::string_view) {});
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, Code::kIo) << "infrastructure, no mistake of the spec";
  EXPECT_THAT(done.error().what, HasSubstr("exited with 3\nno compiler"));
}

}  // namespace
}  // namespace misrule::controller
