#include "controller/report/run_json.h"

#include <algorithm>
#include <chrono>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "controller/events/utf8.h"
#include "controller/report/again.h"

namespace misrule::controller {

namespace {

namespace json = boost::json;

json::array strings(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

json::value position_value(const model::SourcePosition& position) {
  if (position.line == 0) return nullptr;
  return json::object{
      {"file", position.file}, {"line", position.line}, {"column", position.column}};
}

json::object finding_value(const model::Finding& finding) {
  return {{"message", finding.message},
          {"position", position_value(finding.position)},
          {"source_line", finding.source_line},
          {"hint", finding.hint},
          {"detail", strings(finding.detail)}};
}

json::object rule_value(const model::RuleReport& rule) {
  return {{"id", rule.id},
          {"description", rule.description},
          {"position", position_value(rule.position)},
          {"may_stay_unfired", rule.may_stay_unfired},
          {"considered", rule.tally.considered},
          {"matched", rule.tally.matched},
          {"fired", rule.tally.fired},
          {"connections_cut", rule.tally.connections_cut},
          {"near_misses", strings(rule.tally.near_misses)}};
}

json::object control_value(const model::ControlReport& control) {
  return {{"outcome", model::outcome_name(control.outcome)},
          {"took_ms", milliseconds(control.took)},
          {"reason", control.reason},
          {"events_total", control.events_total},
          {"event_log", control.event_log}};
}

json::array attachment_values(const std::vector<model::Attachment>& attachments) {
  json::array out;
  for (const model::Attachment& kept : attachments) {
    out.push_back(json::object{{"name", kept.name}, {"file", kept.file}, {"size", kept.size}});
  }
  return out;
}

json::object report_value(const model::TestReport& report, const std::string& again) {
  json::array findings;
  for (const model::Finding& finding : report.findings) findings.push_back(finding_value(finding));
  json::array rules;
  for (const model::RuleReport& rule : report.rules) rules.push_back(rule_value(rule));
  json::array story;
  for (const std::uint64_t number : report.story) story.emplace_back(number);
  json::object out = {{"name", report.test},
                      {"file", report.spec},
                      {"description", report.description},
                      {"outcome", model::outcome_name(report.outcome)},
                      {"took_ms", milliseconds(report.took)},
                      {"findings", std::move(findings)},
                      {"rules", std::move(rules)},
                      {"notes", strings(report.notes)},
                      {"attachments", attachment_values(report.attachments)},
                      {"events_total", report.events_total},
                      {"story", std::move(story)},
                      {"event_log", report.event_log},
                      {"again", again}};
  if (report.cell.matrix > 0) {
    out["cell"] = json::object{{"matrix", report.cell.matrix},
                               {"scenario", report.cell.scenario},
                               {"fault", report.cell.fault}};
  }
  if (report.control) out["control"] = control_value(*report.control);
  return out;
}

json::object problem_value(const SpecProblem& problem) {
  json::object out = finding_value(problem.finding);
  out["file"] = problem.file;
  out["rendered"] = problem.rendered;
  return out;
}

/// Every outcome, the absent ones too, so that readers need no defaults.
json::object totals_value(const RunResult& result) {
  using model::Outcome;
  json::object totals;
  for (const Outcome outcome :
       {Outcome::kPassed, Outcome::kFailed, Outcome::kInvalid, Outcome::kInconclusive,
        Outcome::kError, Outcome::kSkipped, Outcome::kNotExercised, Outcome::kNoOracle,
        Outcome::kInterrupted}) {
    totals[model::outcome_name(outcome)] =
        std::ranges::count(result.reports, outcome, &model::TestReport::outcome);
  }
  totals["planned"] = result.plan.tests.size();
  return totals;
}

}  // namespace

std::string run_to_json(const RunResult& result, const RunRequest& request,
                        std::string_view version, std::string_view program) {
  json::array tests;
  for (const model::TestReport& report : result.reports) {
    const RunPlan::Test test = {.file = report.spec, .name = report.test};
    tests.push_back(report_value(report, again_command(program, request, test, result.plan.seed)));
  }
  json::array problems;
  for (const SpecProblem& problem : result.problems) problems.push_back(problem_value(problem));
  const json::object run = {{"schema", "misrule.run/1"},
                            {"misrule", version},
                            {"run", result.plan.run_id},
                            {"folder", result.plan.folder},
                            {"seed", result.plan.seed},
                            {"exit_code", result.exit_code},
                            {"took_ms", milliseconds(result.took)},
                            {"stand_ins", strings(result.plan.stand_ins)},
                            {"notes", strings(result.plan.notes)},
                            {"totals", totals_value(result)},
                            {"problems", std::move(problems)},
                            {"tests", std::move(tests)}};
  // What a service or a spec says need not be UTF-8; a document is.
  return as_utf8(json::serialize(run)) + "\n";
}

}  // namespace misrule::controller
