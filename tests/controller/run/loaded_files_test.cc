#include "controller/run/loaded_files.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "controller/launch/service_plan.h"

namespace misrule::controller {
namespace {

using ::testing::ElementsAre;

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

}  // namespace
}  // namespace misrule::controller
