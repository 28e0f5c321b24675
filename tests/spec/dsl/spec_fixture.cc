#include "tests/spec/dsl/spec_fixture.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace misrule::dsl {

const std::string SpecTest::kTopology =
    "db = service(\"postgres\", interface(\"main\", \"postgres\", 5432), image = \"postgres:16\")\n"
    "api = service(\"api\", interface(\"public\", \"http\", 8080), binary = \"./api.py\")\n";

void SpecTest::SetUp() {
  folder_ = (std::filesystem::path(testing::TempDir()) / ("spec-" + std::to_string(::getpid())))
                .lexically_normal()
                .string();
  std::filesystem::create_directories(folder_);
  options_.syscall_families = {"connect", "read", "write", "fsync", "open"};
  options_.errno_names = {"ECONNREFUSED", "EIO", "ENOSPC", "ETIMEDOUT"};
  options_.print = [this](std::string_view line) { printed_.emplace_back(line); };
}

void SpecTest::TearDown() {
  spec_.reset();
  std::filesystem::remove_all(folder_);
}

std::string SpecTest::write_file(const std::string& name, const std::string& text) {
  const std::string path = folder_ + "/" + name;
  std::ofstream(path) << text;
  return path;
}

std::string SpecTest::shown(const model::Finding& finding) {
  std::string text = fmt::format("{}:{}-{} {}", finding.position.line, finding.position.column,
                                 finding.column_end, finding.message);
  if (!finding.hint.empty()) text += " [" + finding.hint + "]";
  return text;
}

Spec& SpecTest::load_whole(const std::string& text) {
  auto loaded = Spec::load(write_file("spec.star", text), options_);
  if (!loaded) {
    for (const Problem& problem : loaded.error()) ADD_FAILURE() << problem.rendered;
    throw std::runtime_error("the spec does not load");
  }
  spec_ = *std::move(loaded);
  return *spec_;
}

std::vector<std::string> SpecTest::problems_whole(const std::string& text) {
  auto loaded = Spec::load(write_file("spec.star", text), options_);
  std::vector<std::string> shown_problems;
  if (loaded) return shown_problems;
  for (const Problem& problem : loaded.error()) {
    EXPECT_NE(problem.rendered.find(problem.finding.message), std::string::npos)
        << problem.rendered;
    shown_problems.push_back(shown(problem.finding));
  }
  return shown_problems;
}

std::string SpecTest::only_problem(const std::string& text) {
  const auto all = problems(text);
  if (all.size() == 1) return all.front();
  std::string list = fmt::format("{} problems", all.size());
  for (const std::string& problem : all) list += "\n  " + problem;
  return list;
}

std::string SpecTest::test_of(const std::string& body) {
  std::string text = "def test_x():\n";
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) text += "    " + line + "\n";
  return text;
}

BodyResult SpecTest::run_body(const std::string& body) {
  result_ = load(test_of(body)).run_test("test_x", host_);
  return result_;
}

std::string SpecTest::outcome_of(const std::string& body) {
  const auto found = problems(test_of(body));
  if (!found.empty()) return found.front();
  run_body(body);
  if (result_.completed) return "completed";
  return result_.finding ? shown(*result_.finding) : "no finding";
}

}  // namespace misrule::dsl
