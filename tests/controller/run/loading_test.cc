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

/// Loads this text as `file` of the folder, with one --set.
LoadedRun loaded(const std::filesystem::path& file, const std::string& text,
                 const std::string& setting) {
  std::ofstream(file) << text << "def test_it():\n    env(\"LATE\", \"\")\n";
  RunRequest request = {.files = {file.string()}};
  if (!setting.empty()) request.set = {{setting, "1"}};
  return load_run(request);
}

TEST_F(LoadingTest, ASettingThatNothingReadsIsTold) {
  const std::string text = "bug = env(\"BUG\", \"\")\n";
  EXPECT_TRUE(loaded(folder_ / "s.star", text, "BUG").notes.empty());
  EXPECT_TRUE(loaded(folder_ / "s.star", text, "LATE").notes.empty()) << "read when it runs";
  const LoadedRun misspelt = loaded(folder_ / "s.star", text, "BGU");
  ASSERT_EQ(misspelt.notes.size(), 1U);
  EXPECT_EQ(misspelt.notes[0], "--set BGU: no spec reads env(\"BGU\") (did you mean BUG?)");
  const std::string unknown = text + "def f(name):\n    return env(name, \"\")\n";
  EXPECT_TRUE(loaded(folder_ / "s.star", unknown, "BGU").notes.empty()) << "it may be read";
}

TEST_F(LoadingTest, AServiceThatCannotBePlannedIsShownWhereItStands) {
  const LoadedRun refused =
      loaded(folder_ / "s.star", "api = service(\"api\", binary = \"./nothing.py\")\n", "");
  ASSERT_EQ(refused.problems.size(), 1U);
  const SpecProblem& problem = refused.problems.front();
  const std::string place = folder_ / "s.star";
  EXPECT_EQ(problem.finding.message,
            "service \"api\": binary " + (folder_ / "nothing.py").string() + " does not exist");
  EXPECT_EQ(problem.finding.position.line, 1U);
  EXPECT_EQ(problem.finding.position.column, 31U);
  EXPECT_NE(problem.rendered.find("binary = \"./nothing.py\""), std::string::npos)
      << problem.rendered;
  EXPECT_EQ(problem.rendered.find(place), problem.rendered.rfind(place)) << "the file once";
  EXPECT_NE(problem.rendered.find("^^^"), std::string::npos) << problem.rendered;
}

}  // namespace
}  // namespace misrule::controller
