#include "controller/report/failure.h"

#include <algorithm>

#include <fmt/format.h>

#include "controller/report/sentence.h"

namespace misrule::controller {

using model::Outcome;

std::string mark_of(Outcome outcome, const Paint& paint) {
  switch (outcome) {
    case Outcome::kPassed:
      return paint.green("✓");
    case Outcome::kFailed:
    case Outcome::kInvalid:
      return paint.red("✗");
    case Outcome::kError:
      return paint.red("!");
    case Outcome::kInconclusive:
      return paint.yellow("?");
    case Outcome::kSkipped:
      return paint.yellow("–");
    case Outcome::kNotExercised:
    case Outcome::kNoOracle:
      return paint.yellow("○");
    case Outcome::kInterrupted:
      break;
  }
  return paint.yellow("■");
}

namespace {

/// "fired 2×, cut 4 open connections"; a rule that has only cut says only that, with a gap after
/// its errno.
std::string effect_text(const model::RuleTally& tally) {
  if (tally.connections_cut == 0) return fmt::format("fired {}×", tally.fired);
  std::string text = tally.fired == 0 ? " " : fmt::format("fired {}×, ", tally.fired);
  text += fmt::format("cut {} open connection{}", tally.connections_cut,
                      tally.connections_cut == 1 ? "" : "s");
  return text;
}

std::string rule_summary(const model::RuleReport& rule) {
  const std::string& text = rule.description.empty() ? rule.id : rule.description;
  return fmt::format("{} {}", with_arrows(printable(text)), effect_text(rule.tally));
}

std::string rule_details(const model::TestReport& report, const model::RuleReport& rule,
                         const Paint& paint) {
  return fmt::format("    {}  {}  {}\n", short_rule_id(rule.id, report.test), rule_summary(rule),
                     paint.dim(fmt::format("of {} that matched, {} looked at", rule.tally.matched,
                                           rule.tally.considered)));
}

std::string story_text(const TestView& view) {
  std::string out;
  const StoryLook look = {.columns = view.columns > 4 ? view.columns - 4 : 1,
                          .test = view.report.test};
  for (const std::string& line : story_lines(view.story, look)) out += fmt::format("  {}\n", line);
  return out;
}

std::string failure_lines(const TestView& view, const Paint& paint) {
  std::string out;
  for (const model::Finding& finding : view.report.findings) out += finding_lines(finding, paint);
  if (!view.report.rules.empty()) {
    out += paint.bold("  rules") + "\n";
    for (const model::RuleReport& rule : view.report.rules) {
      out += rule_details(view.report, rule, paint);
    }
  }
  if (!view.story.empty()) {
    out += paint.bold("  what happened");
    out += fmt::format(" ({} of {} events)\n", view.story.size(), view.report.events_total);
    out += story_text(view);
  }
  for (const std::string& note : view.report.notes) {
    out += fmt::format("  note: {}\n", printable(note));
  }
  if (!view.report.event_log.empty()) {
    out += fmt::format("  {} {}\n", paint.bold("events:"), view.report.event_log);
  }
  if (!view.again.empty()) out += fmt::format("  {} {}\n", paint.bold("again:"), view.again);
  return out;
}

/// The further lines without what the first one says already: a traceback of the one frame that the
/// position names, and the message again at its end.
std::vector<std::string> telling_lines(const model::Finding& finding) {
  std::vector<std::string> lines = finding.detail;
  if (!lines.empty() && lines.back().ends_with(finding.message)) lines.pop_back();
  const bool one_frame = lines.size() >= 2 && lines[lines.size() - 2].starts_with("Traceback ");
  if (one_frame) lines.resize(lines.size() - 2);
  return lines;
}

/// A rule that was given a name is called so.
std::string rule_remark(const model::TestReport& report, const model::RuleReport& rule) {
  const bool named = short_rule_id(rule.id, report.test) == rule.id && !rule.description.empty();
  return named ? fmt::format("{}: {}", printable(rule.id), rule_summary(rule)) : rule_summary(rule);
}

std::vector<std::string> remarks_of(const model::TestReport& report) {
  std::vector<std::string> remarks;
  remarks.reserve(report.rules.size() + report.notes.size());
  for (const model::RuleReport& rule : report.rules) remarks.push_back(rule_remark(report, rule));
  for (const std::string& note : report.notes) remarks.push_back(printable(note));
  return remarks;
}

std::string passed_lines(const TestView& view, const std::string& head, const Paint& paint) {
  const std::vector<std::string> remarks = remarks_of(view.report);
  std::string beside = fmt::format("{}", fmt::join(remarks, ", "));
  std::string out = head;
  if (beside.empty()) {
    out += "\n";
  } else if (view.name_columns + 16 + text_columns(beside) <= view.columns) {
    out += "   " + paint.dim(beside) + "\n";
  } else {
    out += "\n";
    for (const std::string& remark : remarks) out += fmt::format("    {}\n", paint.dim(remark));
  }
  if (view.verbose && !view.report.description.empty()) {
    out += fmt::format("    {}\n", printable(view.report.description));
  }
  if (view.verbose) out += story_text(view);
  return out;
}

}  // namespace

std::string finding_lines(const model::Finding& finding, const Paint& paint) {
  const model::SourcePosition& at = finding.position;
  std::string out = "  ";
  if (at.line > 0) {
    const std::string column = at.column > 0 ? fmt::format(":{}", at.column) : std::string();
    out += paint.bold(fmt::format("{}:{}{}", at.file, at.line, column)) + "  ";
  }
  out += paint.red(harmless(finding.message)) + "\n";
  if (at.line > 0 && !finding.source_line.empty()) {
    const std::string number = std::to_string(at.line);
    out += fmt::format("      {} | {}\n", number, harmless(finding.source_line));
    const unsigned end = std::max(finding.column_end, at.column + 1);
    const std::string gap(at.column > 0 ? at.column - 1 : 0, ' ');
    out += fmt::format("      {} | {}{}\n", std::string(number.size(), ' '), gap,
                       paint.red(std::string(at.column > 0 ? end - at.column : 0, '^')));
  }
  if (!finding.hint.empty()) out += fmt::format("    hint: {}\n", harmless(finding.hint));
  for (const std::string& line : telling_lines(finding)) {
    out += fmt::format("    {}\n", harmless(line));
  }
  return out;
}

std::string test_lines(const TestView& view, const Paint& paint) {
  const model::TestReport& report = view.report;
  const std::string head =
      fmt::format("{} {}  {:>8}", mark_of(report.outcome, paint),
                  padded(report.test, view.name_columns), seconds_text(report.took));
  if (report.outcome == Outcome::kPassed) return passed_lines(view, head, paint);
  std::string word;
  if (report.outcome != Outcome::kFailed) {
    word = "   " + paint.yellow(model::outcome_name(report.outcome));
  }
  return head + word + "\n" + failure_lines(view, paint);
}

}  // namespace misrule::controller
