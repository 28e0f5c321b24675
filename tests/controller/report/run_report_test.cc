// The texts of a whole run, against golden files. MISRULE_REGENERATE=1 writes them anew.

#include "controller/report/run_report.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

#include "controller/events/utf8.h"
#include "controller/report/run_json.h"
#include "tests/controller/report/sample_run.h"

namespace misrule::controller {
namespace {

std::string golden_path(const std::string& name) {
  return std::string(MISRULE_SOURCE_DIR) + "/tests/controller/report/golden/" + name;
}

void expect_golden(const std::string& name, const std::string& text) {
  if (std::getenv("MISRULE_REGENERATE") != nullptr) {
    std::ofstream(golden_path(name)) << text;
  }
  std::ifstream file(golden_path(name));
  std::stringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(text, expected.str()) << "MISRULE_REGENERATE=1 writes " << golden_path(name);
}

/// Tells a report the sample run, moving the clock so that live lines differ.
void tell(RunReport& report, ManualClock& clock) {
  const RunResult result = sample_result();
  for (const SpecProblem& problem : result.problems) report.spec_rejected(problem);
  report.planned(result.plan);
  for (std::size_t i = 0; i < result.reports.size(); ++i) {
    const RunPlan::Test& test = result.plan.tests[i];
    report.test_started(test);
    clock.advance(std::chrono::milliseconds(100));
    report.test_progress(test, "POST /payments → api", 17);
    const bool failed = result.reports[i].outcome == model::Outcome::kFailed;
    report.test_finished(test, result.reports[i],
                         failed ? sample_story() : std::vector<model::Event>());
  }
  report.finished(result);
}

struct Looks {
  bool color = false;
  bool live = false;
  std::size_t columns = 100;
  bool verbose = false;
};

std::string told(const Looks& looks) {
  std::string out;
  ManualClock clock;
  const RunRequest request = sample_request();
  const auto report = make_run_report(request, {.write = [&](std::string_view s) { out += s; },
                                                .clock = clock,
                                                .color = looks.color,
                                                .live = looks.live,
                                                .columns = looks.columns,
                                                .verbose = looks.verbose,
                                                .version = "0.1"});
  tell(*report, clock);
  return out;
}

TEST(RunReport, S0_16_LogsArePlainText) {
  const std::string text = told({.columns = 120});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  expect_golden("log.txt", text);
}

TEST(RunReport, NarrowLogsPutRulesBelow) { expect_golden("narrow.txt", told({.columns = 60})); }

TEST(RunReport, VerboseLogsDescribeWhatPassed) {
  const std::string text = told({.verbose = true});
  EXPECT_NE(text.find("An order is placed, paid and listed."), std::string::npos);
}

TEST(RunReport, ColorsChangeNoWords) {
  std::string text = told({.color = true, .columns = 120});
  EXPECT_NE(text.find("\x1b[32m✓\x1b[0m"), std::string::npos);
  for (std::size_t at = text.find('\x1b'); at != std::string::npos; at = text.find('\x1b')) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  EXPECT_EQ(text, told({.columns = 120}));
}

/// What remains on a terminal's screen, which is high enough to hold all of it.
class Screen {
 public:
  void write(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\n') {
        if (++row_ == lines_.size()) lines_.emplace_back();
      } else if (text[at] == '\r') {
        returned_ = true;
      } else if (text.substr(at).starts_with("\x1b[2K")) {
        EXPECT_TRUE(std::exchange(returned_, true));
        lines_[row_].clear();
        at += 3;
      } else if (text.substr(at).starts_with("\x1b[1A")) {
        ASSERT_GT(row_, 0U);
        --row_;
        at += 3;
      } else {
        returned_ = false;
        lines_[row_] += text[at];
      }
    }
  }
  std::string text() const {
    std::string out = lines_.front();
    for (std::size_t at = 1; at < lines_.size(); ++at) out += "\n" + lines_[at];
    return out;
  }

 private:
  std::vector<std::string> lines_ = {""};
  std::size_t row_ = 0;
  bool returned_ = false;
};

TEST(RunReport, LiveLinesVanishAndLeaveTheLog) {
  const std::string text = told({.live = true, .columns = 120});
  EXPECT_NE(text.find("POST /payments → api · 17 events  [2/9]"), std::string::npos);
  Screen screen;
  screen.write(text);
  EXPECT_EQ(screen.text(), told({.columns = 120}));
}

TEST(RunReport, TheMatrixStandsAboveTheLiveLineAndFills) {
  Screen screen;
  ManualClock clock;
  const RunRequest request;
  const auto report = make_run_report(
      request,
      {.write = [&](std::string_view text) { screen.write(text); }, .clock = clock, .live = true});
  const auto test = [](const std::string& scenario) -> RunPlan::Test {
    return {.file = "a.star",
            .name = "test_" + scenario,
            .cell = {.spec = "a.star", .matrix = 1, .scenario = scenario, .fault = "down"}};
  };
  report->planned({.tests = {test("order"), test("list"), {.file = "a.star", .name = "test_x"}}});
  report->test_started(test("order"));
  EXPECT_TRUE(
      screen.text().ends_with("\n         down\n  order  ▸ running\n  list   …\n"
                              "⠋ test_order  0.0 ms  starting · 0 events  [1/3]"))
      << screen.text();
  clock.advance(std::chrono::seconds(1));
  report->test_progress({.name = "control.order"}, "starting api", 2);
  EXPECT_NE(screen.text().find("\n  order  ▸ running\n  list   …\n⠙ control.order"),
            std::string::npos)
      << screen.text();
  report->test_finished(
      test("order"),
      {.test = "test_order", .cell = test("order").cell, .outcome = model::Outcome::kPassed}, {});
  report->test_started(test("list"));
  EXPECT_NE(screen.text().find("\n  order  ✓ passed\n  list   ▸ running\n"), std::string::npos)
      << screen.text();
  report->test_finished(test("list"), {.test = "test_list", .cell = test("list").cell}, {});
  EXPECT_EQ(screen.text().find("running"), std::string::npos) << screen.text();
  report->test_started({.file = "a.star", .name = "test_x"});
  EXPECT_EQ(screen.text().find("down"), std::string::npos) << "it is no cell";
}

TEST(RunReport, WhatASpecPrintsStandsOnALineOfItsOwn) {
  std::string out;
  ManualClock clock;
  const RunRequest request;
  const auto write = [&out](std::string_view text) { out += text; };
  const auto report = make_run_report(
      request, {.write = write, .print = write, .clock = clock, .live = true, .version = "0.1"});
  const RunPlan::Test test = {.file = "a.star", .name = "test_a"};
  report->planned({.tests = {test}});
  report->test_started(test);
  report->spec_printed("seen \x1b[2J");
  EXPECT_TRUE(out.ends_with("events  [1/1]\r\x1b[2Kseen ·[2J\n")) << out;
}

TEST(RunReport, WhatServicesSayCannotMoveTheCursor) {
  const std::string evil = "\x1b]0;pwn\x07 caf\xe9";
  std::string out;
  ManualClock clock;
  const RunRequest request;
  const auto report = make_run_report(
      request, {.write = [&out](std::string_view text) { out += text; }, .clock = clock});
  report->spec_rejected({.rendered = evil});
  report->test_finished({.file = "a.star", .name = "test_a"},
                        {.test = "test_a",
                         .outcome = model::Outcome::kFailed,
                         .findings = {{.message = evil,
                                       .position = {.file = "a.star", .line = 1, .column = 1},
                                       .source_line = evil,
                                       .hint = evil,
                                       .detail = {evil, "more"}}},
                         .notes = {evil}},
                        {});
  EXPECT_EQ(out.find('\x1b'), std::string::npos) << out;
  EXPECT_EQ(out.find('\xe9'), std::string::npos) << out;
  EXPECT_NE(out.find("·]0;pwn· caf\xEF\xBF\xBD"), std::string::npos) << out;
}

TEST(RunReport, ItsJsonIsUtf8WhateverItTells) {
  RunResult result = sample_result();
  ASSERT_FALSE(result.reports.empty());
  result.plan.notes.push_back("caf\xe9");
  result.problems.push_back({.file = "n\xe9.star", .rendered = "\xff"});
  result.reports[0].notes.push_back("\xc3\x28");
  const std::string text = run_to_json(result, sample_request(), "0.1", "misrule");
  EXPECT_EQ(as_utf8(text), text);
  EXPECT_NE(text.find("n\xEF\xBF\xBD.star"), std::string::npos);
}

TEST(RunReport, LiveLinesNeverWrap) {
  const std::string text = told({.live = true, .columns = 40});
  std::size_t at = 0;
  while ((at = text.find("\r\x1b[2K", at)) != std::string::npos) {
    at += 5;
    const std::size_t end = text.find_first_of("\r\n", at);
    if (text[end] != '\r') continue;  // A line that stays may be longer.
    std::size_t columns = 0;
    for (std::size_t i = at; i < end; ++i) columns += (text[i] & 0xC0) != 0x80 ? 1 : 0;
    EXPECT_LT(columns, 40U) << text.substr(at, end - at);
  }
}

}  // namespace
}  // namespace misrule::controller
