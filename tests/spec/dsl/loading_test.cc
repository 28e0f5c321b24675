// Files that are no specs, and what is not for the top level of one.

#include <filesystem>

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using Loading = SpecTest;

std::string refusal_of(const std::string& path, const LoadOptions& options) {
  const auto loaded = Spec::load(path, options);
  return loaded ? "it loads" : loaded.error().front().finding.message;
}

TEST_F(Loading, AFolderIsNoSpec) {
  EXPECT_NE(refusal_of(folder_, options_).find("it is a folder"), std::string::npos)
      << refusal_of(folder_, options_);
  EXPECT_NE(refusal_of(folder_ + "/none.star", options_).find("there is no such file"),
            std::string::npos);
}

TEST_F(Loading, ATextThatIsNoUtf8SaysWhere) {
  EXPECT_EQ(refusal_of(write_file("good.star", "x = 1\ny = \"caf\xC3\xA9\"\n"), options_),
            "it loads");
  const std::string refused =
      refusal_of(write_file("bad.star", "x = 1\ny = \"caf\xE9\"\n"), options_);
  EXPECT_NE(refused.find("line 2 is not UTF-8"), std::string::npos) << refused;
}

TEST_F(Loading, InvariantsOfTheFileAreNotThereYet) {
  EXPECT_EQ(
      only_problem("assert_never(type = \"stdout\")\n"),
      "3:1-13 assert_never() for the whole file is not in this version yet [call it at the end "
      "of each test]");
  EXPECT_EQ(only_problem("assert_eventually(type = \"stdout\")\n"),
            "3:1-18 assert_eventually() for the whole file is not in this version yet [call it at "
            "the end of each test]");
  load("def test_x():\n    assert_never(type = \"stdout\")\n");
}

}  // namespace
}  // namespace misrule::dsl
