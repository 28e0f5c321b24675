#include "controller/run/report_bounds.h"

#include <vector>

#include <fmt/format.h>

namespace misrule::controller {
namespace {

bool continues_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

void bound_text(std::string& text) { text = cut_in_the_middle(text, kReportTextMax); }

void bound_lines(std::vector<std::string>& lines) {
  if (lines.size() > kReportLinesMax) {
    const std::size_t extra = lines.size() - kReportLinesMax;
    const auto middle = lines.begin() + kReportLinesMax / 2;
    *middle = fmt::format("... {} lines left out ...", extra + 1);
    lines.erase(middle + 1, middle + 1 + static_cast<std::ptrdiff_t>(extra));
  }
  for (std::string& line : lines) bound_text(line);
}

void bound_finding(model::Finding& finding) {
  bound_text(finding.message);
  bound_text(finding.source_line);
  bound_text(finding.hint);
  bound_lines(finding.detail);
}

}  // namespace

std::string cut_in_the_middle(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  std::size_t head = bytes - bytes / 4;
  std::size_t tail = text.size() - bytes / 4;
  while (head > 0 && continues_code_point(text[head])) --head;
  while (tail < text.size() && continues_code_point(text[tail])) ++tail;
  return fmt::format("{} ... {} bytes left out ... {}", text.substr(0, head), tail - head,
                     text.substr(tail));
}

void bound_report(model::TestReport& report) {
  bound_text(report.description);
  for (model::Finding& finding : report.findings) bound_finding(finding);
  for (model::RuleReport& rule : report.rules) {
    bound_text(rule.id);
    bound_text(rule.description);
    bound_text(rule.source_line);
    bound_lines(rule.tally.near_misses);
  }
  bound_lines(report.notes);
}

void bound_problem(SpecProblem& problem) {
  bound_finding(problem.finding);
  problem.rendered = cut_in_the_middle(problem.rendered, 4 * kReportTextMax);
}

}  // namespace misrule::controller
