// fault() and fault_all(): rules that are armed while a function runs, on one target or on several.

#include "spec/dsl/armed_body.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/rules_reader.h"

namespace misrule::dsl {

using star::Args;
using star::Span;
using star::Value;

namespace {

/// fault(target, rule..., rules=[...], write=..., run=, source=, to=, label=, description=).
class FaultCall {
 public:
  FaultCall(const Args& args, bool on_all) : args_(args), rules_(args, {"run"}) { read(on_all); }

  std::vector<model::Rule> rules(RunState& run);
  const Value& body() const { return body_; }

 private:
  void read(bool on_all);
  void read_targets(bool on_all);
  void check_families(const std::vector<model::Rule>& rules) const;

  const Args& args_;
  RulesReader rules_;
  std::vector<Value> targets_;
  Value body_;
};

void FaultCall::read_targets(bool on_all) {
  const bool given = args_.size() > 0;
  const Span at = given ? args_.span(0) : args_.call_span();
  if (!on_all) {
    targets_ = {given ? args_[0] : Value::unbound()};
  } else if (given && (args_[0].as_list() != nullptr || args_[0].as_tuple() != nullptr)) {
    for (const Value& item : args_[0].elements()) targets_.push_back(item);
  }
  if (targets_.empty()) {
    args_.fail_at(at, star::code::kArgument,
                  "the first argument is a list of services and interfaces",
                  "fault_all([a, b], …)");
  }
  const std::string_view place = on_all ? "each target" : "the first argument";
  for (const Value& target : targets_) rules_.take_target(target, at, place);
}

void FaultCall::read(bool on_all) {
  read_targets(on_all);
  for (std::size_t i = 1; i < args_.size(); ++i) rules_.take_rules(args_[i], "", args_.span(i));
  for (std::size_t k = 0; k < args_.keywords().size(); ++k) {
    if (args_.keyword_name(k) == "run") {
      body_ = body_of(args_, k);
    } else {
      rules_.take_keyword(k);
    }
  }
  rules_.require_rules();
  require_body(args_, body_);
}

void FaultCall::check_families(const std::vector<model::Rule>& rules) const {
  for (const model::Rule& rule : rules) {
    const std::string& service = rule.target().service();
    const std::string& family = rule.syscall().family();
    if (!rule.has_syscall() || session_of(args_).families_of(service).contains(family)) continue;
    args_.fail_at(rules_.place_of(static_cast<std::size_t>(&rule - rules.data())),
                  star::code::kValue,
                  fmt::format("{} was started without looking at its {} calls, because no "
                              "call in the spec says {}=",
                              service, family, family),
                  fmt::format("service(..., intercept=[\"{}\"])", family));
  }
}

std::vector<model::Rule> FaultCall::rules(RunState& run) {
  std::vector<model::Rule> all;
  const Span at = args_.span(0);
  for (const Value& target : targets_) {
    rules_.take_target(target, at, "the first argument");
    std::vector<model::Rule> rules = rules_.rules();
    check_families(rules);
    for (model::Rule& rule : rules) {
      rule.set_id(fresh_id(run, rule));
      all.push_back(std::move(rule));
    }
  }
  return all;
}

Value run_rules(const Args& args, bool on_all) {
  FaultCall call(args, on_all);
  return run_armed(args, call.body(), call.rules(run_of(args)));
}

}  // namespace

Value run_fault(Args& args) { return run_rules(args, false); }

Value run_fault_all(Args& args) { return run_rules(args, true); }

}  // namespace misrule::dsl
