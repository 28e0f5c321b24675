#include "controller/launch/service_plan.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/launch/native/stand_in.h"

namespace misrule::controller {
namespace {

class ServicePlanTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "planXXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    options_.spec_file = folder_ + "/shop.star";
    std::ofstream(options_.spec_file) << "# a spec\n";
    std::ofstream(folder_ + "/api.py") << "#!/usr/bin/python3\n";
    std::filesystem::permissions(folder_ + "/api.py", std::filesystem::perms::owner_all);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static model::Service program(std::string name, std::string binary) {
    return {.name = std::move(name),
            .interfaces = {{.name = "public", .protocol = model::Protocol::kHttp, .port = 8080}},
            .binary = std::move(binary),
            .position = {.file = "shop.star", .line = 7, .column = 1}};
  }

  std::string folder_;
  LaunchOptions options_;
};

TEST_F(ServicePlanTest, AProgramIsFoundBesideItsSpec) {
  const auto plans = plan_services({.services = {program("api", "./api.py")}}, options_);
  ASSERT_TRUE(plans.has_value()) << plans.error().what;
  EXPECT_EQ(plans->front().service.binary, folder_ + "/api.py");
}

TEST_F(ServicePlanTest, AProgramThatIsNotThereIsNamedWithItsPlace) {
  const auto plans = plan_services({.services = {program("api", "./apy.py")}}, options_);
  ASSERT_FALSE(plans.has_value());
  EXPECT_EQ(plans.error().code, Code::kInvalid);
  EXPECT_EQ(plans.error().what, "service \"api\": binary " + folder_ + "/apy.py does not exist");
  EXPECT_EQ(plans.error().service, "api");
  EXPECT_EQ(plans.error().field, "binary");
}

TEST_F(ServicePlanTest, AUserAndAFolderThatAreNotThereAreTheSpecsFault) {
  model::Service nobody = program("api", "./api.py");
  nobody.user = "nosuchuser";
  model::Service nowhere = program("api", "./api.py");
  nowhere.cwd = "nosuchfolder";
  model::Service file = program("api", "./api.py");
  file.cwd = "api.py";
  const std::string place = "service \"api\": ";
  for (const auto& [service, reason] :
       {std::pair(nobody, std::string("this machine has no user \"nosuchuser\"")),
        std::pair(nowhere, "cwd " + folder_ + "/nosuchfolder does not exist"),
        std::pair(file, "cwd " + folder_ + "/api.py is no directory")}) {
    const auto plans = plan_services({.services = {service}}, options_);
    ASSERT_FALSE(plans.has_value()) << reason;
    EXPECT_EQ(plans.error().code, Code::kInvalid);
    EXPECT_EQ(plans.error().what, place + reason);
  }
  model::Service right = program("api", "./api.py");
  right.cwd = "..";
  EXPECT_TRUE(plan_services({.services = {right}}, options_).has_value()) << "the control";
}

TEST_F(ServicePlanTest, AProgramWithoutASlashIsLookedUpOnPath) {
  const auto plans = plan_services({.services = {program("api", "sleep")}}, options_);
  ASSERT_TRUE(plans.has_value()) << plans.error().what;
  EXPECT_TRUE(plans->front().service.binary.ends_with("/sleep"));
}

TEST_F(ServicePlanTest, NothingOfTheMachinesEnvironmentReachesAServiceButWhatIsNamed) {
  ::setenv("SECRET_OF_THE_MACHINE", "x", 1);
  model::Service api = program("api", "./api.py");
  api.env = {{"PORT", "8080"}, {"LANG", "de_DE.UTF-8"}};
  api.args = {"--fast"};
  const auto plans = plan_services({.services = {api}}, options_);
  ASSERT_TRUE(plans.has_value()) << plans.error().what;
  const auto process = materialise_service(plans->front(), folder_);
  ASSERT_TRUE(process.has_value()) << process.error().what;
  EXPECT_EQ(process->argv, (std::vector<std::string>{folder_ + "/api.py", "--fast"}));
  std::vector<std::string> names;
  for (const auto& [name, value] : process->env) names.push_back(name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"PATH", "HOME", "TZ", "PYTHONUNBUFFERED", "PORT", "LANG"}));
  EXPECT_EQ(process->env.back().second, "de_DE.UTF-8");
}

TEST_F(ServicePlanTest, DependenciesComeFirst) {
  model::Service api = program("api", "./api.py");
  api.depends_on = {"cache"};
  const auto plans = plan_services({.services = {api, program("cache", "./api.py")}}, options_);
  ASSERT_TRUE(plans.has_value()) << plans.error().what;
  EXPECT_EQ(plans->front().service.name, "cache");
}

TEST_F(ServicePlanTest, AnUnknownImageSaysWhatThereIs) {
  model::Service odd{.name = "odd",
                     .image = "registry.example/odd:1",
                     .position = {.file = "s.star", .line = 3, .column = 7}};
  const auto plans = plan_services({.services = {odd}}, options_);
  ASSERT_FALSE(plans.has_value());
  EXPECT_EQ(plans.error().code, Code::kUnsupported);
  EXPECT_NE(plans.error().what.find("service \"odd\""), std::string::npos);
  EXPECT_NE(plans.error().what.find("need no entry: postgres"), std::string::npos);
}

TEST_F(ServicePlanTest, TheContainerBackendIsRefusedInWords) {
  options_.backend = "docker";
  const auto plans = plan_services({.services = {program("api", "./api.py")}}, options_);
  ASSERT_FALSE(plans.has_value());
  EXPECT_EQ(plans.error().code, Code::kUnsupported);
}

TEST(ImageName, RegistryAndTagAreTakenApart) {
  EXPECT_EQ(native::parse_image("docker.io/library/postgres:16").name, "postgres");
  EXPECT_EQ(native::parse_image("docker.io/library/postgres:16").tag, "16");
  EXPECT_EQ(native::parse_image("postgres").tag, "latest");
  EXPECT_EQ(native::parse_image("localhost:5000/postgres").name, "postgres");
}

}  // namespace
}  // namespace misrule::controller
