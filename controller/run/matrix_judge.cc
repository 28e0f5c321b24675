#include "controller/run/matrix_judge.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace misrule::controller {

using model::Outcome;

model::TestReport report_without_control(const model::TestReport& control,
                                         const RunPlan::Test& test) {
  model::TestReport report = control;
  report.test = test.name;
  report.description = test.description;
  report.cell = test.cell;
  report.control = control_report(control);
  if (control.outcome == Outcome::kInterrupted) return report;
  if (control.outcome != Outcome::kError) report.outcome = Outcome::kInvalid;
  report.findings.insert(
      report.findings.begin(),
      {.message = "the control does not hold: without any fault the scenario fails, too",
       .hint = "make it pass first: what fails without a fault says nothing about one"});
  return report;
}

model::ControlReport control_report(const model::TestReport& control) {
  model::ControlReport report = {.outcome = control.outcome,
                                 .took = control.took,
                                 .events_total = control.events_total,
                                 .event_log = control.event_log};
  if (!control.findings.empty()) report.reason = control.findings.front().message;
  return report;
}

std::string control_note(const model::TestReport& control) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(control.took);
  return fmt::format("control passed in {} ms", ms.count());
}

namespace {

bool has_fired(const model::TestReport& report) {
  return std::ranges::any_of(report.rules,
                             [](const model::RuleReport& rule) { return rule.tally.has_acted(); });
}

/// Nobody expects it to fire everywhere, or at all.
bool may_stay_silent(const model::TestReport& report) {
  return std::ranges::all_of(report.rules, &model::RuleReport::may_stay_unfired);
}

}  // namespace

std::vector<std::size_t> fail_silent_faults(std::vector<model::TestReport>& reports) {
  std::map<std::tuple<std::string, std::size_t, std::string>, std::vector<std::size_t>> silent;
  for (std::size_t at = 0; at < reports.size(); ++at) {
    const model::TestReport& report = reports[at];
    if (report.cell.matrix == 0 || report.rules.empty() || has_fired(report)) continue;
    silent[{report.cell.spec, report.cell.matrix, report.cell.fault}].push_back(at);
  }
  std::vector<std::size_t> failed;
  for (const auto& [fault, cells] : silent) {
    if (cells.size() != reports[cells.front()].cell.fault_cells) continue;
    for (const std::size_t at : cells) {
      if (reports[at].outcome != Outcome::kNotExercised || may_stay_silent(reports[at])) continue;
      reports[at].outcome = Outcome::kFailed;
      reports[at].findings.insert(
          reports[at].findings.begin(),
          {.message = fmt::format("{} fires in none of its {} cell{}", std::get<2>(fault),
                                  cells.size(), cells.size() == 1 ? "" : "s")});
      failed.push_back(at);
    }
  }
  std::ranges::sort(failed);
  return failed;
}

}  // namespace misrule::controller
