#include "controller/report/github.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "controller/events/utf8.h"
#include "controller/report/again.h"
#include "controller/report/failure.h"
#include "controller/report/matrix_cells.h"
#include "controller/report/text.h"
#include "controller/report/weight.h"

namespace misrule::controller {

namespace {

namespace fs = std::filesystem;
using model::Outcome;

// A step's summary is refused as a whole beyond 1 MiB.
constexpr std::size_t kSummaryBytesMax = std::size_t{512} << 10U;
constexpr std::size_t kMessageBytesMax = std::size_t{8} << 10U;

std::string replaced(std::string_view text, std::string_view letters) {
  std::string out;
  for (const char c : as_utf8(text)) {
    if (letters.find(c) == letters.npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string as_message(std::string_view text) { return replaced(text, "%\r\n"); }
std::string as_property(std::string_view text) { return replaced(text, "%\r\n:,"); }

/// As the repository knows it; a file outside of it stays as it was given.
std::string in_workspace(const std::string& file, const GithubPlace& place) {
  if (place.workspace.empty()) return file;
  const fs::path whole = (fs::path(place.directory) / file).lexically_normal();
  const fs::path inside = whole.lexically_relative(fs::path(place.workspace).lexically_normal());
  if (inside.empty() || inside.string().starts_with("..")) return file;
  return inside.string();
}

struct Annotation {
  const char* level = "error";
  std::string title = {};
  std::string message = {};
  model::SourcePosition at = {};
};

std::string annotation_line(const Annotation& annotation, const GithubPlace& place) {
  std::string out = fmt::format("::{} ", annotation.level);
  if (!annotation.at.file.empty()) {
    out += fmt::format("file={},", as_property(in_workspace(annotation.at.file, place)));
    if (annotation.at.line > 0) out += fmt::format("line={},", annotation.at.line);
    if (annotation.at.column > 0) out += fmt::format("col={},", annotation.at.column);
  }
  std::string message = harmless(annotation.message);
  if (message.size() > kMessageBytesMax) message.resize(kMessageBytesMax);
  out +=
      fmt::format("title={}::{}\n", as_property(printable(annotation.title)), as_message(message));
  return out;
}

/// Letters and digits as they are, everything else as Markdown and HTML cannot take it.
std::string as_markdown(std::string_view text) {
  std::string out;
  for (const char c : as_utf8(printable(text))) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (byte >= 0x80 || letter || c == ' ') {
      out += c;
    } else {
      out += fmt::format("&#{};", byte);
    }
  }
  return out;
}

std::string as_code(std::string_view text) {
  std::string out;
  for (const char c : as_utf8(harmless(text))) {
    if (c == '<' || c == '>' || c == '&') {
      out += fmt::format("&#{};", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string mark(Outcome outcome) { return mark_of(outcome, Paint(false)); }

std::string counts_line(const RunResult& result) {
  std::map<Outcome, std::size_t> counts;
  for (const model::TestReport& report : result.reports) ++counts[report.outcome];
  std::vector<std::string> parts;
  parts.reserve(counts.size());
  for (const auto& [outcome, count] : counts) {
    parts.push_back(fmt::format("{} {} {}", mark(outcome), count, model::outcome_name(outcome)));
  }
  return fmt::format("{} in {}, seed {}", fmt::join(parts, ", "), seconds_text(result.took),
                     result.plan.seed);
}

std::string matrix_markdown(const MatrixCells& matrix) {
  std::string out = "\n| |";
  for (const std::string& fault : matrix.faults()) out += fmt::format(" {} |", as_markdown(fault));
  out += "\n|---|";
  for (std::size_t i = 0; i < matrix.faults().size(); ++i) out += "---|";
  out += "\n";
  for (const std::string& scenario : matrix.scenarios()) {
    out += fmt::format("| {} |", as_markdown(scenario));
    for (const std::string& fault : matrix.faults()) {
      const LiveCell* cell = matrix.find(scenario, fault);
      const bool is_over = cell != nullptr && cell->outcome.has_value();
      out += !is_over ? " · |"
                      : fmt::format(" {} {} |", mark(*cell->outcome),
                                    model::outcome_name(*cell->outcome));
    }
    out += "\n";
  }
  return out;
}

std::string test_markdown(const model::TestReport& report, const std::string& again) {
  std::string text;
  for (const model::Finding& finding : report.findings) {
    text += finding_lines(finding, Paint(false));
  }
  text += "  again: " + again + "\n";
  if (text.size() > kMessageBytesMax) text.resize(kMessageBytesMax);
  return fmt::format("\n<details><summary>{} {}: {}</summary>\n<pre>{}</pre>\n</details>\n",
                     mark(report.outcome), as_markdown(report.test),
                     as_markdown(cut_to(reason_of(report), 200)), as_code(text));
}

}  // namespace

std::string github_pause(std::string_view token) {
  return fmt::format("::stop-commands::{}\n", token);
}

std::string github_resume(std::string_view token) { return fmt::format("::{}::\n", token); }

std::string github_annotations(const RunResult& result, const RunRequest& request,
                               const GithubPlace& place) {
  std::string out;
  for (const SpecProblem& problem : result.problems) {
    model::SourcePosition at = problem.finding.position;
    if (at.file.empty()) at.file = problem.file;
    out += annotation_line({.title = "the spec does not load",
                            .message = problem.finding.message,
                            .at = std::move(at)},
                           place);
  }
  for (const model::TestReport& report : result.reports) {
    const Weight weight = weight_of(report.outcome, request.strict);
    if (weight == Weight::kGood) continue;
    Annotation annotation = {
        .level = weight == Weight::kSilent ? "warning" : "error",
        .title = fmt::format("{} ({})", report.test, model::outcome_name(report.outcome)),
        .message = reason_of(report),
        .at = {.file = report.spec}};
    if (!report.findings.empty()) {
      const model::Finding& finding = report.findings.front();
      annotation.message = finding.message;
      if (!finding.hint.empty()) annotation.message += "\nhint: " + finding.hint;
      if (finding.position.line > 0) annotation.at = finding.position;
    }
    out += annotation_line(annotation, place);
  }
  return out;
}

std::string github_summary(const RunResult& result, const RunRequest& request,
                           std::string_view program) {
  std::string out = fmt::format("### Misrule: {}\n", counts_line(result));
  for (const SpecProblem& problem : result.problems) {
    out += fmt::format("\n<pre>{}</pre>\n", as_code(problem.rendered));
  }
  for (const MatrixCells& matrix : matrices_of(result.reports)) out += matrix_markdown(matrix);
  for (const model::TestReport& report : result.reports) {
    if (report.outcome == Outcome::kPassed) continue;
    const RunPlan::Test test = {.file = report.spec, .name = report.test};
    const std::string part =
        test_markdown(report, again_command(program, request, test, result.plan.seed));
    if (out.size() + part.size() > kSummaryBytesMax) {
      out += "\nMore tests did not pass than fit here.\n";
      break;
    }
    out += part;
  }
  return out;
}

}  // namespace misrule::controller
