// A spec loaded as a run loads it: what proxy and interceptor refuse is shown where it was written.

#include "controller/run/loading.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

class LoadingTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / fmt::format("loading-{}", ::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// What the caret stands under in a body's only problem.
  std::string blamed(const std::string& call) {
    const std::string file = folder_ / "spec.star";
    std::ofstream(file) << "db = service(\"db\", interface(\"main\", \"postgres\", 5432),\n"
                           "             image = \"postgres:16\")\n"
                           "api = service(\"api\", interface(\"public\", \"http\", 8080),\n"
                           "              binary = \"./api.py\")\n"
                           "def f():\n"
                           "    pass\n"
                           "def test_it():\n"
                           "    "
                        << call << "\n";
    const auto loaded = load_spec(file, {});
    if (loaded) return "no problem";
    const model::Finding& finding = loaded.error().front().finding;
    const std::size_t first = finding.position.column - 1;
    return finding.source_line.substr(first, finding.column_end - 1 - first);
  }

  std::filesystem::path folder_;
};

TEST_F(LoadingTest, ARuleThatIsWrongForItsTargetIsShownAtTheKeyword) {
  EXPECT_EQ(blamed("fault(db, error(query = \"x\", code = \"40001\"), run = f)"), "no problem");
  EXPECT_EQ(blamed("fault(db, error(query = \"x\", status = 503), run = f)"), "status = 503");
  EXPECT_EQ(blamed("fault(db, error(query = \"x\", code = \"4000!\"), run = f)"),
            "code = \"4000!\"");
  EXPECT_EQ(blamed("fault(api, delay(\"1s\", query = \"x\"), run = f)"), "query = \"x\"");
  EXPECT_EQ(blamed("fault(api.public, error(path = \"/\", status = 99 + 1), run = f)"),
            "no problem")
      << "known only when it runs";
  EXPECT_EQ(blamed("fault(api, error(path = \"orders\"), run = f)"), "path = \"orders\"");
  EXPECT_EQ(blamed("fault(db, drop(mode = \"x\"), run = f)"), "mode = \"x\"");
  EXPECT_EQ(blamed("fault(db, delay(\"0s\"), run = f)"), "\"0s\"");
  EXPECT_EQ(blamed("fault(db, deny(\"EIO\"), run = f)"), "deny(\"EIO\")");
}

}  // namespace
}  // namespace misrule::controller
