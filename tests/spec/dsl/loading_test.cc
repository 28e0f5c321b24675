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

}  // namespace
}  // namespace misrule::dsl
