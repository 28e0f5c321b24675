#include "controller/report/run_report.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "controller/report/again.h"
#include "controller/report/failure.h"
#include "controller/report/matrix_table.h"
#include "controller/report/text.h"

namespace misrule::controller {

namespace {

using model::Outcome;

constexpr std::array kOutcomes = {Outcome::kFailed,       Outcome::kInvalid,      Outcome::kError,
                                  Outcome::kInterrupted,  Outcome::kInconclusive, Outcome::kSkipped,
                                  Outcome::kNotExercised, Outcome::kNoOracle,     Outcome::kPassed};
constexpr std::array kSpinner = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
constexpr Duration kRedrawEvery = std::chrono::milliseconds(80);

/// The files of a plan in their order, each once.
std::vector<std::string> files_of(const RunPlan& plan) {
  std::vector<std::string> files;
  for (const RunPlan::Test& test : plan.tests) {
    if (std::ranges::find(files, test.file) == files.end()) files.push_back(test.file);
  }
  return files;
}

bool is_in_matrix_of(const model::CellPlace& a, const model::CellPlace& b) {
  return a.matrix == b.matrix && a.spec == b.spec;
}

bool is_cell(const model::CellPlace& a, const model::CellPlace& b) {
  return is_in_matrix_of(a, b) && a.scenario == b.scenario && a.fault == b.fault;
}

class TextReport final : public RunReport {
 public:
  TextReport(const RunRequest& request, ReportOptions options)
      : request_(request), options_(std::move(options)), paint_(options_.color) {}

  void spec_rejected(const SpecProblem& problem) override {
    clear_live_lines();
    options_.write(harmless(problem.rendered));
    if (!problem.rendered.ends_with('\n')) options_.write("\n");
  }

  void planned(const RunPlan& plan) override;
  void test_started(const RunPlan::Test& test) override;
  void test_progress(const RunPlan::Test& test, std::string_view phase,
                     std::uint64_t events) override;
  void spec_printed(std::string_view line) override;
  void test_finished(const RunPlan::Test& test, const model::TestReport& report,
                     const std::vector<model::Event>& story) override;
  void test_revised(const RunPlan::Test& test, const model::TestReport& report) override;
  void finished(const RunResult& result) override;

 private:
  void clear_live_lines();
  void draw_live_lines(const RunPlan::Test& test, std::string_view phase, std::uint64_t events);
  std::vector<std::string> matrix() const;
  std::string erasure() const;
  void note_outcome(const model::TestReport& report);
  std::string counts_text(const RunResult& result) const;

  const RunRequest& request_;
  ReportOptions options_;
  Paint paint_;
  std::uint64_t seed_ = 1;
  std::size_t planned_ = 0;
  std::size_t finished_ = 0;
  std::size_t name_columns_ = 0;
  std::vector<std::string> files_ = {};
  std::string shown_file_ = {};
  TimePoint started_ = {};
  TimePoint drawn_ = {};
  std::size_t frame_ = 0;
  std::vector<LiveCell> cells_ = {};
  model::CellPlace current_ = {};  ///< Of the test that was started; its control has none.
  std::size_t live_lines_ = 0;     ///< On the screen now; the cursor stands in the last one.
};

void TextReport::planned(const RunPlan& plan) {
  seed_ = plan.seed;
  planned_ = plan.tests.size();
  files_ = files_of(plan);
  for (const RunPlan::Test& test : plan.tests) {
    name_columns_ = std::max(name_columns_, text_columns(test.name));
    if (test.cell.matrix > 0) cells_.push_back({.place = test.cell});
  }
  std::string head = paint_.bold("misrule " + options_.version);
  if (files_.size() == 1) head += " · " + files_.front();
  head += fmt::format(" · seed {}", plan.seed);
  for (const std::string& stand_in : plan.stand_ins) head += " · " + with_arrows(stand_in);
  options_.write(head + "\n");
  for (const std::string& note : plan.notes) {
    options_.write(fmt::format("{} {}\n", paint_.yellow("note:"), note));
  }
}

void TextReport::test_started(const RunPlan::Test& test) {
  if (files_.size() > 1 && shown_file_ != test.file) {
    clear_live_lines();
    shown_file_ = test.file;
    options_.write(fmt::format("{}\n", paint_.bold(test.file)));
  }
  started_ = options_.clock.now();
  current_ = test.cell;
  drawn_ = {};
  draw_live_lines(test, "starting", 0);
}

void TextReport::test_progress(const RunPlan::Test& test, std::string_view phase,
                               std::uint64_t events) {
  draw_live_lines(test, phase, events);
}

void TextReport::draw_live_lines(const RunPlan::Test& test, std::string_view phase,
                                 std::uint64_t events) {
  if (!options_.live) return;
  const TimePoint now = options_.clock.now();
  if (live_lines_ > 0 && now - drawn_ < kRedrawEvery) return;
  drawn_ = now;
  std::vector<std::string> lines = matrix();
  const std::string line =
      fmt::format("{} {}  {}  {} · {} events  [{}/{}]", kSpinner.at(frame_++ % kSpinner.size()),
                  padded(test.name, name_columns_), seconds_text(now - started_), printable(phase),
                  events, finished_ + 1, planned_);
  // Auto-wrap would leave lines behind that nobody clears; so would a terminal's "^C^C".
  constexpr std::size_t kEchoColumns = 5;
  lines.push_back(
      cut_to(line, options_.columns > kEchoColumns ? options_.columns - kEchoColumns : 1));
  // At once: a terminal between the two would flicker.
  options_.write(erasure() + fmt::format("{}", fmt::join(lines, "\n")));
  live_lines_ = lines.size();
}

/// The matrix that the test is a cell of, as it stands; nothing where a terminal has no room for
/// it.
std::vector<std::string> TextReport::matrix() const {
  constexpr std::size_t kColumnsMin = 40;
  // Below it the live line, above it something of what has been told.
  constexpr std::size_t kOtherRows = 3;
  if (current_.matrix == 0 || options_.columns < kColumnsMin) return {};
  std::vector<LiveCell> cells;
  for (const LiveCell& cell : cells_) {
    if (!is_in_matrix_of(cell.place, current_)) continue;
    cells.push_back(cell);
    cells.back().running = !cell.outcome && is_cell(cell.place, current_);
  }
  const std::size_t rows = options_.rows > kOtherRows ? options_.rows - kOtherRows : 0;
  return live_matrix(cells, options_.columns - 1, rows, paint_);
}

/// What takes the live lines off the screen.
std::string TextReport::erasure() const {
  std::string out = "\r\x1b[2K";
  for (std::size_t above = 1; above < live_lines_; ++above) out += "\x1b[1A\x1b[2K";
  return out;
}

void TextReport::clear_live_lines() {
  if (live_lines_ > 0) options_.write(erasure());
  live_lines_ = 0;
}

void TextReport::spec_printed(std::string_view line) {
  clear_live_lines();
  if (options_.print) options_.print(harmless(line) + "\n");
}

void TextReport::test_finished(const RunPlan::Test& test, const model::TestReport& report,
                               const std::vector<model::Event>& story) {
  clear_live_lines();
  ++finished_;
  note_outcome(report);
  options_.write(test_lines({.report = report,
                             .story = story,
                             .name_columns = std::max(name_columns_, text_columns(report.test)),
                             .columns = options_.columns,
                             .verbose = options_.verbose,
                             .again = again_command(options_.program, request_, test, seed_)},
                            paint_));
}

void TextReport::note_outcome(const model::TestReport& report) {
  for (LiveCell& cell : cells_) {
    if (is_cell(cell.place, report.cell)) cell.outcome = report.outcome;
  }
}

void TextReport::test_revised(const RunPlan::Test& test, const model::TestReport& report) {
  clear_live_lines();
  const std::vector<model::Event> story;
  options_.write(test_lines({.report = report,
                             .story = story,
                             .name_columns = std::max(name_columns_, text_columns(report.test)),
                             .columns = options_.columns,
                             .again = again_command(options_.program, request_, test, seed_)},
                            paint_));
}

/// How many files did not run because of what is wrong with them.
std::size_t rejected_count(const RunResult& result) {
  std::set<std::string> files;
  for (const SpecProblem& problem : result.problems) files.insert(problem.file);
  return files.size();
}

std::string TextReport::counts_text(const RunResult& result) const {
  std::string out;
  if (const std::size_t rejected = rejected_count(result); rejected > 0) {
    out = paint_.red(fmt::format("{} spec{} not run", rejected, rejected == 1 ? "" : "s"));
  }
  for (const Outcome outcome : kOutcomes) {
    const auto count = std::ranges::count(result.reports, outcome, &model::TestReport::outcome);
    if (count == 0) continue;
    const std::string part = fmt::format("{} {}", count, model::outcome_name(outcome));
    const bool good = outcome == Outcome::kPassed;
    out += (out.empty() ? "" : ", ") + (good ? paint_.green(part) : paint_.red(part));
  }
  if (result.reports.size() < planned_) {
    const std::string part = fmt::format("{} not run", planned_ - result.reports.size());
    out += (out.empty() ? "" : ", ") + paint_.yellow(part);
  }
  return out;
}

void TextReport::finished(const RunResult& result) {
  clear_live_lines();
  for (const std::string& file : request_.files) {
    if (std::ranges::find(result.problems, file, &SpecProblem::file) == result.problems.end()) {
      continue;
    }
    options_.write(fmt::format("{} {}\n", paint_.bold("again:"),
                               check_command(options_.program, request_, file)));
  }
  // What was wrong with specs has been told; without a test there is nothing to sum up.
  if (planned_ == 0) return;
  options_.write(matrix_tables(result.reports, options_.columns, paint_));
  const std::string counts = counts_text(result);
  options_.write(
      fmt::format("{} in {} · {}\n", counts, seconds_text(result.took), fmt::join(files_, ", ")));
  if (!result.kept.empty()) {
    options_.write(fmt::format("{} {} enter {} · {} end {}\n", paint_.bold("kept:"),
                               options_.program, result.kept, options_.program, result.kept));
  }
  if (!result.not_kept.empty()) {
    options_.write(fmt::format("{} {}\n", paint_.yellow("not kept:"), result.not_kept));
  }
}

}  // namespace

std::unique_ptr<RunReport> make_run_report(const RunRequest& request, ReportOptions options) {
  return std::make_unique<TextReport>(request, std::move(options));
}

}  // namespace misrule::controller
