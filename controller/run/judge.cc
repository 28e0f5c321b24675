#include "controller/run/judge.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace misrule::controller {
namespace {

class Judge {
 public:
  explicit Judge(const TestCourse& course) : course_(course) {}

  Judgement decide() {
    add_stop();
    add_infrastructure();
    add_body();
    add_monitors();
    add_exits();
    // A body that never ran gave no rule a chance.
    if (course_.body) add_unfired();
    if (judgement_.findings.empty() && !course_.has_oracle) {
      judgement_.outcome = model::Outcome::kNoOracle;
    }
    return std::move(judgement_);
  }

 private:
  /// The first finding decides the outcome; later ones are told beside it.
  void add(model::Outcome outcome, model::Finding finding) {
    if (judgement_.findings.empty()) judgement_.outcome = outcome;
    judgement_.findings.push_back(std::move(finding));
  }

  void add_stop();
  void add_infrastructure();
  void add_body();
  void add_monitors();
  void add_exits();
  void add_unfired();
  void add_unfired(const model::RuleReport& rule);
  /// The rule, or that for all rules of its group: what was near to one of them was near.
  model::RuleReport whole_fault(const model::RuleReport& rule) const;

  const TestCourse& course_;
  Judgement judgement_ = {};
};

void Judge::add_stop() {
  const std::string pending =
      course_.pending.empty() ? std::string() : fmt::format(" while {}", course_.pending);
  if (course_.stop == Stop::kInterrupt) {
    add(model::Outcome::kInterrupted, {.message = "interrupted" + pending});
  }
  if (course_.stop != Stop::kDeadline) return;
  const std::chrono::duration<double> seconds = course_.deadline;
  add(course_.awaiting_event ? model::Outcome::kInconclusive : model::Outcome::kFailed,
      {.message = fmt::format("the deadline of {} s passed{}", seconds.count(), pending),
       .hint = "--timeout sets another deadline"});
}

void Judge::add_infrastructure() {
  if (course_.infrastructure) return;
  add(model::Outcome::kError, finding_of_text(course_.infrastructure.error().what));
}

void Judge::add_body() {
  // What stopped it is told already, with what it was doing.
  if (!course_.body || course_.body->completed || course_.body->cancelled) return;
  model::Finding finding =
      course_.body->finding.value_or(model::Finding{.message = "the test did not complete"});
  model::Outcome outcome = model::Outcome::kFailed;
  if (course_.body->undecided) outcome = model::Outcome::kInconclusive;
  if (course_.body->infrastructure) outcome = model::Outcome::kError;
  add(outcome, std::move(finding));
}

/// What is violated decides before what is undecided.
void Judge::add_monitors() {
  if (!course_.body) return;
  for (const model::Finding& finding : course_.body->violations) {
    add(model::Outcome::kFailed, finding);
  }
  for (const model::Finding& finding : course_.body->open) {
    add(model::Outcome::kInconclusive, finding);
  }
}

void Judge::add_exits() {
  for (const ServiceExit& exit : course_.exits) {
    if (!exit.explained_by.empty()) continue;
    add(model::Outcome::kFailed,
        {.message = fmt::format("{} {} although no fault explains it", exit.service, exit.how),
         .detail = exit.last_lines});
  }
}

void Judge::add_unfired() {
  // What may stay unfired says nothing all the same: a cell is never passed by it.
  const bool says_nothing =
      course_.is_cell && std::ranges::none_of(course_.rules, [](const model::RuleReport& rule) {
        return rule.tally.has_acted();
      });
  std::set<std::string> told;
  for (const model::RuleReport& one : course_.rules) {
    if (!one.group.empty() && !told.insert(one.group).second) continue;
    const model::RuleReport rule = whole_fault(one);
    if (rule.tally.has_acted() || (rule.may_stay_unfired && !says_nothing)) continue;
    add_unfired(rule);
  }
}

model::RuleReport Judge::whole_fault(const model::RuleReport& rule) const {
  if (rule.group.empty()) return rule;
  model::RuleReport whole = rule;
  whole.description = rule.group;
  whole.tally = {};
  for (const model::RuleReport& part : course_.rules) {
    if (part.group != rule.group) continue;
    whole.tally.considered += part.tally.considered;
    whole.tally.matched += part.tally.matched;
    whole.tally.fired += part.tally.fired;
    whole.tally.connections_cut += part.tally.connections_cut;
    const std::vector<std::string>& near = part.tally.near_misses;
    whole.tally.near_misses.insert(whole.tally.near_misses.end(), near.begin(), near.end());
  }
  return whole;
}

void Judge::add_unfired(const model::RuleReport& rule) {
  model::Finding finding = {
      .message = fmt::format("the fault never fired: {}", rule.description),
      .position = rule.position,
      .column_end = rule.column_end,
      .source_line = rule.source_line,
      .hint = rule.may_stay_unfired ? "" : "optional = True on the action allows that",
  };
  const model::RuleTally& tally = rule.tally;
  finding.detail.push_back(tally.considered == 0
                               ? "nothing that it could act on happened while it was active"
                               : fmt::format("it was asked about {} operations, {} matched",
                                             tally.considered, tally.matched));
  for (const std::string& near : tally.near_misses) finding.detail.push_back("nearest: " + near);
  add(course_.is_cell ? model::Outcome::kNotExercised : model::Outcome::kFailed,
      std::move(finding));
}

}  // namespace

model::Finding finding_of_text(std::string text) {
  const std::size_t end = text.find('\n');
  if (end == std::string::npos) return {.message = std::move(text)};
  model::Finding finding = {.message = text.substr(0, end)};
  std::string rest = text.substr(end + 1);
  while (!rest.empty()) {
    const std::size_t cut = rest.find('\n');
    finding.detail.push_back(rest.substr(0, cut));
    rest = cut == std::string::npos ? std::string() : rest.substr(cut + 1);
  }
  return finding;
}

Judgement judge(const TestCourse& course) { return Judge(course).decide(); }

}  // namespace misrule::controller
