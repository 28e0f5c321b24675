// include, extends, env_file and profiles: what a compose file takes from elsewhere.

#include "controller/starter/compose_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "controller/starter/compose.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

/// The remark that has these words in it; an empty one if there is none.
StarterRemark remark_of(const StarterProject& project, std::string_view words) {
  for (const StarterRemark& remark : project.remarks) {
    if (remark.text.contains(words)) return remark;
  }
  return {};
}

class Compose : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("misrule-compose-test-" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "shared");
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  StarterProject read(std::string_view text) const {
    auto project = read_compose(file("compose.yml", text), folder_);
    EXPECT_TRUE(project.has_value()) << (project ? "" : project.error().what);
    return project ? *std::move(project) : StarterProject();
  }
  std::string refusal(std::string_view text) const {
    const auto project = read_compose(file("compose.yml", text), folder_);
    return project ? "" : project.error().what;
  }

  fs::path folder_;
};

using Env = std::vector<std::pair<std::string, std::string>>;

TEST_F(Compose, AnEnvFileYieldsToTheEnvironment) {
  file("a.env", "# which\nexport A=1\nB= two words # not this\nC='$x y'\n\nD=\"q # q\"\nno\n");
  file("b.env", "A=2\nE=${F:-f}\n");
  const StarterProject project = read(
      "services:\n  web:\n    image: i\n    env_file: [a.env, {path: ./b.env}, {path: none, "
      "required: false}]\n    environment: [B=own]\n");
  EXPECT_THAT(project.services.at(0).env,
              UnorderedElementsAre(Pair("A", "2"), Pair("B", "own"), Pair("C", "$$x y"),
                                   Pair("D", "q # q"), Pair("E", "${F:-f}")));
  for (const StarterRemark& remark : project.remarks) {
    EXPECT_THAT(remark.text, testing::Not(HasSubstr("env_file")));
  }
  const StarterProject lacking = read("services:\n  web:\n    image: i\n    env_file: gone.env\n");
  EXPECT_EQ(remark_of(lacking, "gone.env is not there").line, 4U);
}

TEST_F(Compose, AServiceHasWhatItExtends) {
  file("shared/base.yml", R"(services:
  base:
    extends: deeper
    build: ./app
    env_file: base.env
    environment: {LEVEL: info, NAME: base}
    command: run base
    volumes: ["./schema.sql:/docker-entrypoint-initdb.d/1.sql"]
  deeper:
    expose: [8000]
    environment: [DEEP=yes, NAME=deeper]
)");
  file("shared/base.env", "FROM_FILE=1\nLEVEL=file\n");
  const StarterProject project = read(R"(services:
  web:
    extends: {file: shared/base.yml, service: base}
    environment: [NAME=web]
    command: run web
    ports: ["80:9000"]
)");
  ASSERT_EQ(project.services.size(), 1U);
  const StarterService& web = project.services[0];
  EXPECT_EQ(web.build, "./shared/app");
  EXPECT_EQ(web.seed, "./shared/schema.sql");
  EXPECT_THAT(web.env, UnorderedElementsAre(Pair("FROM_FILE", "1"), Pair("LEVEL", "info"),
                                            Pair("NAME", "web"), Pair("DEEP", "yes")));
  EXPECT_THAT(web.command, ElementsAre("run", "web"));
  EXPECT_THAT(web.ports, UnorderedElementsAre(8000, 9000));
}

TEST_F(Compose, WhatIsIncludedIsThereAndItsPathsAreItsOwn) {
  file("shared/db.yml",
       "services:\n  db:\n    image: \"postgres:16\"\n    restart: always\n"
       "    volumes: [./x.sql:/docker-entrypoint-initdb.d/x.sql]\n");
  const StarterProject project =
      read("include: [{path: shared/db.yml}]\nservices:\n  web:\n    image: i\n");
  ASSERT_EQ(project.services.size(), 2U);
  EXPECT_EQ(project.services[0].name, "db");
  EXPECT_EQ(project.services[0].seed, "./shared/x.sql");
  const auto restart =
      std::ranges::find(project.remarks, "db: restart is not used", &StarterRemark::text);
  ASSERT_NE(restart, project.remarks.end());
  EXPECT_THAT(restart->file, testing::EndsWith("shared/db.yml"));
  EXPECT_EQ(restart->line, 4U);
}

TEST_F(Compose, AServiceOfAProfileIsLeftOut) {
  const StarterProject project = read(
      "services:\n  web: {image: i, profiles: []}\n  tool:\n    image: t\n    profiles: [a, b]\n");
  ASSERT_EQ(project.services.size(), 1U);
  EXPECT_EQ(project.services[0].name, "web");
  EXPECT_EQ(remark_of(project, "tool: left out, as compose does unless --profile a or b").line, 3U);
}

TEST_F(Compose, WhatLeadsNowhereIsRefused) {
  EXPECT_THAT(refusal("include: [gone.yml]\nservices: {}\n"),
              HasSubstr("compose.yml:1: include: there is no"));
  EXPECT_THAT(refusal("include: [compose.yml]\n"), HasSubstr("it includes itself"));
  EXPECT_THAT(refusal("services:\n  a: {extends: a}\n"), HasSubstr("extends itself"));
  EXPECT_THAT(refusal("services:\n  a: {extends: b}\n"), HasSubstr("there is no service b"));
  EXPECT_THAT(refusal("services:\n  a: {extends: {file: x.yml, service: b}}\n"),
              HasSubstr("extends: there is no"));
  file("other.yml", "services: {a: {image: i}}\n");
  EXPECT_THAT(refusal("include: other.yml\nservices: {a: {image: j}}\n"),
              HasSubstr("a is there already, by include"));
}

}  // namespace
}  // namespace misrule::controller
