// Runs the conformance files: ours, and (where STAR_SUITES points to them) starlark-go's.

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "tests/spec/starlark/chunks.h"

namespace misrule::star::test {
namespace {

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".star") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

void expect_all(const std::string& path, const ChunkOptions& options,
                const std::vector<std::string>& deviations = {}) {
  const std::vector<Chunk> chunks = read_chunks(path);
  for (const Chunk& chunk : chunks) {
    for (const std::string& wrong : run_chunk(chunk, options)) {
      const bool known = std::any_of(
          deviations.begin(), deviations.end(),
          [&](const std::string& deviation) { return wrong.find(deviation) != std::string::npos; });
      if (!known) ADD_FAILURE() << wrong;
    }
  }
}

class OwnSuite : public testing::TestWithParam<std::string> {};

TEST_P(OwnSuite, Holds) { expect_all(GetParam(), {}); }

INSTANTIATE_TEST_SUITE_P(
    Files, OwnSuite,
    testing::ValuesIn(files_below(MISRULE_SOURCE_DIR "/tests/spec/starlark/suite")),
    [](const auto& info) { return std::filesystem::path(info.param).stem().string(); });

TEST(OwnSuite, ExpectationsCanFail) {
  const Chunk wrong{.path = "wrong.star",
                    .text = "load('assert.star', 'assert')\nassert.eq(1, 2)\n"};
  EXPECT_EQ(run_chunk(wrong, {}).size(), 1U);
  const Chunk missing{.path = "missing.star", .text = "x = 1 ### \"boom\"\n"};
  EXPECT_EQ(run_chunk(missing, {}).size(), 1U);
  const Chunk other{.path = "other.star", .text = "x = 1 // 0 ### \"boom\"\n"};
  EXPECT_EQ(run_chunk(other, {}).size(), 1U);
  const Chunk extra{.path = "extra.star", .text = "x = 1 // 0\n"};
  EXPECT_EQ(run_chunk(extra, {}).size(), 1U);
}

// Where we differ on purpose.
const std::vector<std::string> kDeviations = {
    "/assign.star:327:",  "/assign.star:328:",  "/assign.star:333:",  "/assign.star:334:",
    "/assign.star:342:",  // A name that load() bound cannot be bound again.
    "/assign.star:338:",  "/resolve.star:378:", "/resolve.star:379:", "/resolve.star:384:",
    "/resolve.star:385:", "/resolve.star:390:", "/resolve.star:391:",
    "/resolve.star:331:",  // Use before binding of a global is found when it runs.
    "/json.star:140:",     // json.decode takes x by its name, too.
    "/json.star:157:",     // DEL is encoded as JSON can say it.
    "/json.star:194:",     // Wording.
};

/// Files of a checkout of go.starlark.net, which is no part of this repository: without one there
/// are no such tests.
std::vector<std::string> foreign_files() {
  const char* folder = std::getenv("STAR_SUITES");
  if (folder == nullptr) return {};
  const std::vector<std::string> skipped = {"benchmark", "paths", "function_param",
                                            "proto",     "time",  "math"};
  std::vector<std::string> files = files_below(std::string(folder) + "/starlark/testdata");
  std::erase_if(files, [&skipped](const std::string& path) {
    const std::string stem = std::filesystem::path(path).stem();
    return std::ranges::find(skipped, stem) != skipped.end();
  });
  files.push_back(std::string(folder) + "/syntax/testdata/errors.star");
  files.push_back(std::string(folder) + "/resolve/testdata/resolve.star");
  return files;
}

class ForeignSuite : public testing::TestWithParam<std::string> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ForeignSuite);

TEST_P(ForeignSuite, Holds) {
  ChunkOptions options = {.legacy_options = true};
  if (GetParam().contains("/syntax/")) options.mode = Mode::kParse;
  if (GetParam().contains("/resolve/")) options.mode = Mode::kResolve;
  expect_all(GetParam(), options, kDeviations);
}

INSTANTIATE_TEST_SUITE_P(StarlarkGo, ForeignSuite, testing::ValuesIn(foreign_files()));

}  // namespace
}  // namespace misrule::star::test
