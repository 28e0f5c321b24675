#include "spec/dsl/assumption.h"

#include <algorithm>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/monitor.h"
#include "spec/dsl/rules_reader.h"

namespace misrule::dsl {

using star::Args;
using star::Span;
using star::Value;

void AssumptionValue::write_repr(star::Writer& out) const {
  out.text(fmt::format("<fault assumption {}>", declared_.name));
}

void AssumptionValue::visit_children(star::ValueVisitor& visitor) const {
  for (const Value& monitor : monitors_) visitor.visit(monitor);
}

std::vector<const AssumptionValue*> assumptions_of(const Args& args, const Value& value, Span at) {
  if (const auto* one = value.as<AssumptionValue>(); one != nullptr) return {one};
  if (value.as_list() == nullptr && value.as_tuple() == nullptr) {
    args.fail_at(at, star::code::kArgument,
                 fmt::format("faults= is a list of fault assumptions, not a {}", value.type_name()),
                 "fault_assumption(name, target=, ...) makes one");
  }
  std::vector<const AssumptionValue*> found;
  for (const Value& item : value.elements()) {
    const auto* one = item.as<AssumptionValue>();
    if (one == nullptr) {
      args.fail_at(at, star::code::kArgument,
                   fmt::format("faults= holds a {}, want fault assumptions", item.type_name()),
                   "fault_assumption(name, target=, ...) makes one");
    }
    found.push_back(one);
  }
  return found;
}

namespace {

/// The arguments of one fault_assumption(...).
class AssumptionCall {
 public:
  explicit AssumptionCall(const Args& args)
      : args_(args), rules_(args, {"target", "faults", "monitors", "description"}) {
    read();
  }
  AssumptionDeclared declared() const;
  const std::string& description() const { return description_; }
  const std::vector<Value>& monitors() const { return monitors_; }

 private:
  void read();
  void read_keyword(std::size_t index);
  std::string text_of(std::size_t index) const;

  const Args& args_;
  RulesReader rules_;
  std::vector<model::Rule> composed_;
  std::vector<Value> monitors_;
  std::string name_;
  std::string description_;
};

void AssumptionCall::read() {
  const auto name = args_.size() > 0 ? args_[0].as_string() : std::nullopt;
  if (!name || name->empty()) {
    args_.fail_at(args_.size() > 0 ? args_.span(0) : args_.call_span(), star::code::kArgument,
                  "the first argument is the assumption's name");
  }
  name_ = *name;
  check_name(args_, name_, args_.span(0));
  for (std::size_t i = 1; i < args_.size(); ++i) rules_.take_rules(args_[i], "", args_.span(i));
  for (std::size_t k = 0; k < args_.keywords().size(); ++k) read_keyword(k);
  if (rules_.has_rules() && !rules_.has_target()) {
    args_.fail_at(args_.callee_span(), star::code::kArgument, "missing argument for target",
                  "target= is the service or interface on which the rules hold");
  }
  if (composed_.empty()) rules_.require_rules();
}

void AssumptionCall::read_keyword(std::size_t index) {
  const std::string_view name = args_.keyword_name(index);
  const Span at = args_.keyword_value_span(index);
  if (name == "target") {
    rules_.take_target(args_.keyword(index), at, "target=");
  } else if (name == "faults") {
    for (const AssumptionValue* part : assumptions_of(args_, args_.keyword(index), at)) {
      composed_.insert(composed_.end(), part->rules().begin(), part->rules().end());
      monitors_.insert(monitors_.end(), part->monitors().begin(), part->monitors().end());
    }
  } else if (name == "description") {
    description_ = text_of(index);
  } else if (name == "monitors") {
    MonitorList list;
    if (!convert(args_.keyword(index), list)) {
      args_.fail_at(at, star::code::kArgument, fmt::format("monitors= is a {}", wanted_type(&list)),
                    "monitor(fn), never(...) and their like make one");
    }
    monitors_.insert(monitors_.end(), list.items.begin(), list.items.end());
  } else {
    rules_.take_keyword(index);
  }
}

std::string AssumptionCall::text_of(std::size_t index) const {
  const auto text = args_.keyword(index).as_string();
  if (text) return std::string(*text);
  args_.fail_at(args_.keyword_value_span(index), star::code::kArgument,
                fmt::format("{}= is text, not a {}", args_.keyword_name(index),
                            args_.keyword(index).type_name()));
}

AssumptionDeclared AssumptionCall::declared() const {
  AssumptionDeclared declared = {.name = name_, .at = args_.call_span(), .rules = composed_};
  for (model::Rule& rule : rules_.rules()) declared.rules.push_back(std::move(rule));
  return declared;
}

/// What the rules do, whatever they are called and wherever they stand.
std::vector<std::string> meaning_of(const std::vector<model::Rule>& rules) {
  std::vector<std::string> texts;
  texts.reserve(rules.size());
  for (model::Rule rule : rules) {
    rule.clear_position();
    rule.clear_label();
    rule.clear_description();
    rule.clear_id();
    texts.push_back(rule.SerializeAsString());
  }
  std::ranges::sort(texts);
  return texts;
}

}  // namespace

Value declare_assumption(Args& args) {
  Session& session = session_of(args);
  const AssumptionCall call(args);
  AssumptionDeclared declared = call.declared();
  for (const model::Rule& rule : declared.rules) {
    if (!rule.has_syscall()) continue;
    session.families_by_service.emplace_back(rule.target().service(), rule.syscall().family());
  }
  session.assumptions.push_back(declared);
  return Value::object(
      star::make<AssumptionValue>(std::move(declared), call.description(), call.monitors()));
}

std::vector<star::Diagnostic> note_equal_assumptions(const Session& session) {
  std::vector<star::Diagnostic> notes;
  std::map<std::vector<std::string>, const AssumptionDeclared*> first;
  for (const AssumptionDeclared& assumption : session.assumptions) {
    const auto [known, fresh] = first.emplace(meaning_of(assumption.rules), &assumption);
    if (fresh || known->second->name == assumption.name) continue;
    const AssumptionDeclared& other = *known->second;
    notes.push_back(
        diagnostic_at(star::Severity::kNote, assumption.at,
                      fmt::format("{} does the same as {}: one of them does not say what it means",
                                  assumption.name, other.name),
                      "to= narrows connect= to one destination"));
    notes.back().labels.push_back({other.at, other.name + " is declared here"});
  }
  return notes;
}

}  // namespace misrule::dsl
