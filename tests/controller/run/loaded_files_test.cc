#include "controller/run/loaded_files.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "controller/launch/project_file.h"
#include "controller/launch/service_plan.h"
#include "controller/run/watch_list.h"

namespace misrule::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class LoadedFilesTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text = "") {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / fmt::format("loaded-{}", ::getpid());
};

TEST_F(LoadedFilesTest, LoadsAreWhatTheSyntaxSays) {
  const std::string deep = file("deep.star", "load(\"../nowhere.star\", \"z\")\n");
  const std::string near = file("near.star", "load(\"deep.star\", \"y\")\n");
  const std::string spec = file("spec.star",
                                "load(\"near.star\", \"x\")\n"
                                "load(\"@misrule/redis.star\", \"cache_down\")\n"
                                "# load(\"comment.star\", \"x\")\n"
                                "TEXT = 'load(\"text.star\", \"x\")'\n");
  EXPECT_THAT(files_of_spec(spec),
              ElementsAre(spec, near, deep, (folder_.parent_path() / "nowhere.star").string()));
}

TEST_F(LoadedFilesTest, AServiceIsItsProgramItsWordsAndItsStatements) {
  const std::string program = file("api");
  const std::string word = file("api.toml");
  const std::string seed = file("seed.sql");
  const std::string reset = file("reset.sql");
  ServicePlan plan = {.spec_folder = folder_};
  plan.service.name = "api";
  plan.service.binary = "./api";
  plan.service.args = {"--config", "api.toml"};
  plan.service.seed = model::Seed{.sql_file = seed};
  plan.service.reset = model::Seed{.sql_file = reset};
  const auto found = program_files({plan});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().service, "api");
  EXPECT_THAT(found.front().files, ElementsAre(program, word, seed, reset));
}

TEST_F(LoadedFilesTest, WhatTlsNeedsBelongsToTheServiceAndKeysStandApart) {
  const std::string own = file("own.pem");
  const std::string own_key = file("own.key");
  const std::string ours = file("ours.pem");
  const std::string our_key = file("ours.key");
  const std::string authority = file("ca.pem");
  model::Service service = {.name = "db"};
  service.interfaces = {{.name = "plain"}, {.name = "made", .tls = model::ClientTls{}}};
  EXPECT_THAT(files_of_service(service, folder_).files, IsEmpty()) << "the control";
  service.interfaces.push_back(
      {.name = "main",
       .tls = model::ClientTls{.cert = own, .key = own_key},
       .upstream_tls = model::ServerTls{.ca = authority, .cert = ours, .key = our_key}});
  const ProgramFiles found = files_of_service(service, folder_);
  EXPECT_THAT(found.files, ElementsAre(own, authority, ours));
  EXPECT_THAT(found.keys, ElementsAre(own_key, our_key));
}

TEST_F(LoadedFilesTest, AStandInIsWhereItRunsAndWhatSetsItUp) {
  std::filesystem::create_directories(folder_ / "app");
  const std::string word = file("app/main.py");
  const std::string beside = file("setup.sql");
  const model::Service spec = {.name = "api", .image = "shop/api", .args = {"main.py"}};
  const ProgramEntry entry = {.command = {"python3"}, .setup = {"psql", "setup.sql"}, .cwd = "app"};
  const ProgramFiles found = files_of_service(run_by(entry, spec), folder_, entry.setup);
  EXPECT_THAT(found.files, ElementsAre(word, beside));
  EXPECT_THAT(found.folders, ElementsAre((folder_ / "app").string()));
  EXPECT_THAT(files_of_service(spec, folder_).folders, IsEmpty()) << "without it";
}

// --watch waits for what a build has yet to make; the bundle passes over it.
TEST_F(LoadedFilesTest, AProgramCountsBeforeItIsThere) {
  const model::Service service = {.name = "api", .build = "./src", .binary = "./out/api"};
  const ProgramFiles found = files_of_service(service, folder_);
  EXPECT_THAT(found.files, ElementsAre((folder_ / "out/api").string()));
  EXPECT_THAT(found.folders, ElementsAre((folder_ / "src").string()));
}

// Both ways to a service's files: what is planned and what --watch reads say the same.
TEST_F(LoadedFilesTest, AWatchNamesTheKeysToo) {
  const std::string cert = file("own.pem");
  const std::string key = file("own.key");
  const std::string spec =
      file("spec.star",
           "db = service(\"db\", interface(\"main\", \"redis\", 6379, tls = "
           "{\"cert\": \"own.pem\", \"key\": \"own.key\"}), binary = \"./db\")\n"
           "def test_it():\n    pass\n");
  RunRequest request;
  request.files = {spec};
  const auto watched = watched_specs(request);
  ASSERT_EQ(watched.size(), 1U);
  EXPECT_THAT(watched.front().paths, UnorderedElementsAre(spec, (folder_ / "misrule.toml").string(),
                                                          (folder_ / "db").string(), cert, key));
}

}  // namespace
}  // namespace misrule::controller
