// A keyword that would mean nothing for what runs is an error, not ignored.

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using Origin = SpecTest;

TEST_F(Origin, AnImageTakesNoFolderAndNoUser) {
  EXPECT_EQ(
      only_problem("service(\"x\", image = \"postgres:16\", cwd = \"/nonexistent\")\n"),
      "3:43-57 service: cwd= is for binary=; image= does not take it [the image says in which "
      "folder and as which user its program runs]");
  EXPECT_EQ(
      only_problem("service(\"x\", image = \"postgres:16\", user = \"nobody\")\n"),
      "3:44-52 service: user= is for binary=; image= does not take it [the image says in which "
      "folder and as which user its program runs]");
  load("service(\"x\", image = \"postgres:16\", args = [\"-c\", \"max_connections=50\"])\n");
  load("service(\"x\", binary = \"b\", cwd = \"/\", user = \"nobody\", args = [\"-c\"])\n");
}

TEST_F(Origin, WhatRunsElsewhereIsStartedElsewhere) {
  for (const char* word : {"cwd = \"/\"", "user = \"nobody\"", "args = [\"x\"]"}) {
    const std::string problem =
        only_problem(fmt::format("service(\"x\", remote = \"host:1\", {})\n", word));
    EXPECT_NE(problem.find("= is for binary=; remote= does not take it"), std::string::npos)
        << problem;
  }
}

}  // namespace
}  // namespace misrule::dsl
