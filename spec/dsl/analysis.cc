#include "spec/dsl/analysis.h"

#include <algorithm>
#include <deque>

#include "spec/dsl/builtins.h"
#include "spec/dsl/partition.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Argument;
using star::ArgumentKind;
using star::CallExpr;
using star::Expr;
using star::ExprKind;
using star::NameExpr;
using star::Severity;

namespace {

std::string name_of(const Expr& name) { return std::string(star::as<NameExpr>(name).name.text()); }

bool earlier(const star::Diagnostic& a, const star::Diagnostic& b) {
  const std::string_view left = a.at ? std::string_view(a.at.file->path()) : std::string_view();
  const std::string_view right = b.at ? std::string_view(b.at.file->path()) : std::string_view();
  return std::tie(left, a.at.lo, a.message) < std::tie(right, b.at.lo, b.message);
}

bool same(const star::Diagnostic& a, const star::Diagnostic& b) {
  return a.at.file == b.at.file && a.at.lo == b.at.lo && a.message == b.message;
}

}  // namespace

Analysis::Analysis(Session& session, star::Thread& thread, const star::Runtime& runtime)
    : session_(session), reader_(thread, problems_) {
  for (const auto& module : runtime.modules()) {
    for (Unit& unit : units_of(*module)) units_.push_back(std::move(unit));
  }
  for (const Unit& unit : units_) {
    check_names(unit);
    note_family_words(unit);
    for (const CallExpr* call : unit.calls) {
      note_families(unit, *call);
      note_recordings(unit, *call);
      note_setting(unit, *call);
    }
  }
  for (const Unit& unit : units_) {
    for (const CallExpr* call : unit.calls) {
      reader_.value_of(unit, *call);  // Actions that nothing uses are checked too.
      if (is_builtin(*call->callee, "fault")) read_fault(unit, *call, "fault");
      if (is_builtin(*call->callee, "fault_all")) read_fault(unit, *call, "fault_all");
      if (is_builtin(*call->callee, "partition")) read_partition(unit, *call);
    }
    check_filters(session_, unit, reader_);
    check_calls(units_, unit, reader_);
  }
  note_unused_scenarios();
}

void sort_by_place(std::vector<star::Diagnostic>& problems) {
  std::ranges::sort(problems, earlier);
  const auto repeated = std::ranges::unique(problems, same);
  problems.erase(repeated.begin(), repeated.end());
}

void Analysis::check_names(const Unit& unit) {
  for (const Expr* name : unit.names) {
    for (const LaterName& later : later_names()) {
      if (!is_builtin(*name, later.name)) continue;
      reader_.complain(
          reader_.span_of(unit, *name), later_message(later),
          later.instead.empty() ? std::string() : fmt::format("use {}", later.instead));
    }
  }
}

namespace {

/// How often a name is used outside of its own definition.
std::size_t uses_of(const std::string& name, const std::vector<Unit>& units) {
  const auto is_it = [&name](const Expr* used) { return name_of(*used) == name; };
  std::size_t uses = 0;
  for (const Unit& unit : units) {
    if (unit.name == name) continue;
    uses += static_cast<std::size_t>(std::ranges::count_if(unit.names, is_it));
  }
  return uses;
}

}  // namespace

void Analysis::note_unused_scenarios() {
  for (const ScenarioDeclared& scenario : session_.scenarios) {
    if (uses_of(scenario.name, units_) > 1) continue;  // One is scenario(f) itself.
    notes_.push_back(
        diagnostic_at(Severity::kNote, scenario.at,
                      fmt::format("scenario {} is used by nothing and does not run", scenario.name),
                      "give it to fault_scenario() or fault_matrix()"));
  }
}

std::optional<model::Target> Analysis::static_target(const Unit& unit, const CallExpr& call) {
  if (call.arguments.empty() || call.arguments.front().kind != ArgumentKind::kPositional) {
    return std::nullopt;
  }
  const auto value = reader_.value_of(unit, *call.arguments.front().value);
  return value ? target_of(value->value) : std::nullopt;
}

std::vector<model::Target> Analysis::static_targets(const Unit& unit, const CallExpr& call) {
  if (const auto one = static_target(unit, call)) return {*one};
  std::vector<model::Target> targets;
  if (call.arguments.empty() || call.arguments.front().kind != ArgumentKind::kPositional) {
    return targets;
  }
  const auto list = reader_.value_of(unit, *call.arguments.front().value);
  const bool is_list = list && (list->value.as_list() != nullptr || list->value.as_tuple());
  if (!is_list) return targets;
  for (const star::Value& item : list->value.elements()) {
    if (const auto target = target_of(item)) targets.push_back(*target);
  }
  return targets;
}

/// write= of a fault whose target is known concerns that service; any other write= concerns all.
void Analysis::note_families(const Unit& unit, const CallExpr& call) {
  // What an assumption says is known exactly once it is made.
  if (is_builtin(*call.callee, "fault_assumption")) return;
  std::optional<model::Target> target;
  if (is_builtin(*call.callee, "fault")) target = static_target(unit, call);
  for (const Argument& argument : call.arguments) {
    if (argument.kind != ArgumentKind::kKeyword) continue;
    const std::string name(argument.name.text());
    if (!session_.is_family(name)) continue;
    if (target)
      session_.families_by_service.emplace_back(target->service(), name);
    else
      session_.families_for_all.insert(name);
  }
}

namespace {

/// Words by which a family can be named other than as a keyword: {"write": deny(...)} and
/// {"syscall": "write"} as dicts, e.syscall == "write" in a filter.
class FamilyWords final : public star::SyntaxVisitor {
 public:
  explicit FamilyWords(Session& session) : session_(session) {}

  void visit_other(const Expr& expr) override {
    if (expr.kind == ExprKind::kDict) note_dict(star::as<star::DictExpr>(expr));
    if (expr.kind == ExprKind::kCompare) note_compare(star::as<star::CompareExpr>(expr));
    SyntaxVisitor::visit_other(expr);
  }

 private:
  void note(const Expr* expr) {
    const star::Value* literal = expr == nullptr ? nullptr : star::literal_of(*expr);
    const auto text = literal == nullptr ? std::nullopt : literal->as_string();
    if (text && session_.is_family(*text)) session_.families_for_all.emplace(*text);
  }
  void note_dict(const star::DictExpr& dict) {
    for (const star::DictEntry& entry : dict.entries) {
      note(entry.key.get());
      const star::Value* key = entry.key == nullptr ? nullptr : star::literal_of(*entry.key);
      if (key != nullptr && key->as_string() == std::optional<std::string_view>("syscall")) {
        note(entry.value.get());
      }
    }
  }
  void note_compare(const star::CompareExpr& compare) {
    note(compare.left.get());
    note(compare.right.get());
  }

  Session& session_;
};

}  // namespace

void Analysis::note_family_words(const Unit& unit) {
  FamilyWords words(session_);
  words.visit_stmt(*unit.stmt);
}

void Analysis::note_setting(const Unit& unit, const CallExpr& call) {
  if (!is_builtin(*call.callee, "env") || call.arguments.empty()) return;
  const auto name = reader_.value_of(unit, *call.arguments.front().value);
  const auto text = name ? name->value.as_string() : std::nullopt;
  if (text)
    session_.settings.emplace(*text);
  else
    session_.reads_unknown_settings = true;
}

/// What is recorded must be seen by the filter, too.
void Analysis::note_recordings(const Unit& unit, const CallExpr& call) {
  for (const SyscallsWanted& wanted : syscalls_wanted(session_, unit, call, reader_)) {
    for (const std::string& family : wanted.families) {
      if (!session_.is_family(family)) continue;
      if (wanted.service.empty())
        session_.families_for_all.insert(family);
      else
        session_.families_by_service.emplace_back(wanted.service, family);
    }
  }
}

void Analysis::check_fault_keywords(const Unit& unit, const CallExpr& call, std::string_view verb) {
  static const std::vector<std::string> kOthers = {"rules", "run",   "source",
                                                   "to",    "label", "description"};
  std::vector<std::string> known = session_.options.syscall_families;
  known.insert(known.end(), kOthers.begin(), kOthers.end());
  bool has_run = false;
  for (const Argument& argument : call.arguments) {
    has_run = has_run || argument.kind == ArgumentKind::kStarStar;
    if (argument.kind != ArgumentKind::kKeyword) continue;
    const std::string_view name = argument.name.text();
    has_run = has_run || name == "run";
    if (std::ranges::find(known, name) != known.end()) continue;
    reader_.complain(
        {&unit.module->file(), argument.lo, argument.value->hi},
        fmt::format("{}: unexpected keyword argument \"{}\"{}", verb, name,
                    did_you_mean(name, known)),
        "system calls: " + listed(session_.options.syscall_families) + "; and " + listed(kOthers));
  }
  if (!has_run) {
    reader_.complain(reader_.span_of(unit, *call.callee),
                     fmt::format("{}: missing argument for run", verb),
                     "run= is the function during which the rules hold");
  }
}

void Analysis::read_fault(const Unit& unit, const CallExpr& call, std::string_view verb) {
  check_fault_keywords(unit, call, verb);
  std::vector<model::Target> targets = static_targets(unit, call);
  const bool known = !targets.empty();
  if (!known) targets.emplace_back();
  for (const model::Target& target : targets) {
    read_fault_on(unit, call, known ? std::optional(target) : std::nullopt);
  }
}

void Analysis::read_fault_on(const Unit& unit, const CallExpr& call,
                             const std::optional<model::Target>& target) {
  RuleUse use;
  if (target) use.target = *target;
  for (const Argument& argument : call.arguments) {
    if (argument.kind != ArgumentKind::kKeyword) continue;
    const auto value = reader_.value_of(unit, *argument.value);
    if (argument.name.text() == "source" && value) {
      use.source = service_name_of(value->value);
      use.source_at = {&unit.module->file(), argument.lo, argument.value->hi};
    }
    if (argument.name.text() == "to" && value) use.to = target_of(value->value);
  }
  std::vector<model::Rule>& made = templates_[&call];
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const Argument& argument = call.arguments[i];
    const std::string name(argument.name.text());
    const bool family = argument.kind == ArgumentKind::kKeyword && session_.is_family(name);
    const bool rules = argument.kind == ArgumentKind::kKeyword && name == "rules";
    if (!family && !rules && !(argument.kind == ArgumentKind::kPositional && i > 0)) continue;
    use.family = family ? name : std::string();
    read_rule(unit, *argument.value, use, target.has_value(), made);
  }
}

void Analysis::read_partition(const Unit& unit, const CallExpr& call) {
  std::vector<model::Target> ends;
  PartitionSides sides;
  for (const Argument& argument : call.arguments) {
    const auto value = reader_.value_of(unit, *argument.value);
    const auto target = value ? target_of(value->value) : std::nullopt;
    if (target) ends.push_back(*target);
    const auto text = value ? value->value.as_string() : std::nullopt;
    if (argument.kind == ArgumentKind::kKeyword && argument.name.text() == "mode" && text) {
      sides.mode = *text;
    }
  }
  if (ends.size() != 2) return;
  sides.a = ends[0];
  sides.b = ends[1];
  const star::Span at = {&unit.module->file(), call.lo, call.hi};
  auto rules = partition_rules(session_, sides);
  if (!rules) {
    problems_.push_back(diagnostic_at(Severity::kError, at, "partition: " + rules.error().what));
    return;
  }
  for (model::Rule& rule : *rules) {
    set_position(at, rule);
    rule.set_group(partition_text(sides));
    templates_[&call].push_back(std::move(rule));
  }
}

void Analysis::read_rule(const Unit& unit, const Expr& expr, const RuleUse& use, bool target_known,
                         std::vector<model::Rule>& out) {
  if (expr.kind == ExprKind::kList || expr.kind == ExprKind::kTuple) {
    for (const auto& item : star::as<star::ListExpr>(expr).items) {
      read_rule(unit, *item, use, target_known, out);
    }
    return;
  }
  const auto value = reader_.value_of(unit, expr);
  const auto* action = value ? value->value.as<RuleValue>() : nullptr;
  if (action == nullptr) return;
  const bool known = target_known && value->complete;
  auto rule = assemble_rule(session_, action->draft(), use);
  if (!rule && known) {
    star::Complaint complaint =
        rule_complaint(rule.error(), action->draft(), use, reader_.span_of(unit, expr));
    problems_.push_back(diagnostic_at(Severity::kError, complaint.at, complaint.message));
    problems_.back().labels = std::move(complaint.labels);
  }
  if (rule) out.push_back(*std::move(rule));
}

std::vector<std::pair<const Unit*, const CallExpr*>> Analysis::calls_of_test(
    std::set<std::string> reached) {
  std::vector<std::pair<const Unit*, const CallExpr*>> calls;
  std::deque<std::string> waiting(reached.begin(), reached.end());
  const auto take = [&](const Unit& unit) {
    for (const CallExpr* call : unit.calls) calls.emplace_back(&unit, call);
    for (const Expr* used : unit.names) {
      if (reached.insert(name_of(*used)).second) waiting.push_back(name_of(*used));
    }
  };
  while (!waiting.empty()) {
    const std::string name = waiting.front();
    waiting.pop_front();
    for (const Unit& unit : units_) {
      if (unit.name == name) take(unit);
    }
  }
  return calls;
}

std::vector<model::Rule> Analysis::rules_of_test(const std::string& test,
                                                 const std::string& function,
                                                 std::size_t declared) {
  std::vector<model::Rule> rules;
  for (const auto& [unit, call] : calls_of_test({function})) {
    const auto made = templates_.find(call);
    if (made == templates_.end()) continue;
    rules.insert(rules.end(), made->second.begin(), made->second.end());
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    rules[i].set_id(rules[i].has_label() ? rules[i].label()
                                         : fmt::format("{}/{}", test, declared + i + 1));
  }
  return rules;
}

namespace {

model::Rule recording(const std::string& service, const std::string& family, star::Span at) {
  model::Rule rule;
  rule.set_id(fmt::format("recording/{}/{}", service, family));
  rule.mutable_target()->set_service(service);
  rule.mutable_syscall()->set_family(family);
  rule.set_may_stay_unfired(true);
  set_position(at, rule);
  return rule;
}

void add_places(const SyscallsWanted& wanted, star::Span at,
                std::map<std::pair<std::string, std::string>, star::Span>& places) {
  for (const std::string& family : wanted.families) {
    places.emplace(std::pair(wanted.service, family), at);
  }
}

}  // namespace

std::map<Analysis::Recorded, star::Span> Analysis::recorded_in(
    const std::set<std::string>& functions) {
  std::map<Recorded, star::Span> places;
  for (const auto& [unit, call] : calls_of_test(functions)) {
    for (const SyscallsWanted& wanted : syscalls_wanted(session_, *unit, *call, reader_)) {
      add_places(wanted, reader_.span_of(*unit, *call), places);
    }
  }
  return places;
}

std::vector<model::Rule> Analysis::recordings_of_test(const std::set<std::string>& functions) {
  std::vector<model::Rule> rules;
  std::set<std::string> ids;
  for (const auto& [wanted, at] : recorded_in(functions)) {
    for (const model::Service& service : session_.topology.services) {
      const bool meant = wanted.first.empty() || wanted.first == service.name;
      if (!meant || !service.remote.empty() || !session_.is_family(wanted.second)) continue;
      model::Rule rule = recording(service.name, wanted.second, at);
      if (ids.insert(rule.id()).second) rules.push_back(std::move(rule));
    }
  }
  return rules;
}

}  // namespace misrule::dsl
