#include "controller/bundle/programs.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

// A key in the directory that is built, and a link to it: neither says anything of it.
TEST(ProgramsTest, APrivateKeyIsNotTakenWhateverLeadsToIt) {
  const fs::path folder = fs::canonical(testing::TempDir()) / fmt::format("keys-{}", ::getpid());
  fs::create_directories(folder / "src");
  const auto file = [&folder](const std::string& name) {
    std::ofstream(folder / name) << name;
    return (folder / name).string();
  };
  RunResult result = {.spec_files = {file("spec.star")}};
  const std::string key = file("src/own.key");
  const std::string link = folder / "link.key";
  fs::create_symlink(key, link);
  result.programs = {
      {.service = "db", .files = {file("own.pem"), link}, .folders = {(folder / "src").string()}}};
  EXPECT_EQ(programs_of(result, true).size(), 3U) << "the control";
  result.programs.front().keys = {key};
  const auto found = programs_of(result, true);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().content, "own.pem");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace misrule::controller
