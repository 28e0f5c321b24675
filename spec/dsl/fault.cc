// fault(): rules that are armed while a function runs, and end with it however it ends.

#include <algorithm>

#include "spec/dsl/builtins.h"
#include "spec/dsl/rule_assembly.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Args;
using star::Span;
using star::Value;

namespace {

struct UsedRule {
  const RuleValue* value = nullptr;
  std::string family = {};
  Span at = {};  ///< Where it is used; it may have been made elsewhere.
};

/// fault(target, rule..., rules=[...], write=..., run=, source=, to=).
class FaultCall {
 public:
  explicit FaultCall(const Args& args) : args_(args), session_(session_of(args)) { read(); }

  std::vector<model::Rule> rules(RunState& run) const;
  const Value& body() const { return body_; }

 private:
  void read();
  void read_keyword(std::size_t index);
  void take_rules(const Value& value, const std::string& family, Span at);
  void refuse_keyword(std::size_t index) const;
  model::Rule rule_from(const UsedRule& used, RunState& run) const;

  const Args& args_;
  Session& session_;
  RuleUse use_;
  std::vector<UsedRule> used_;
  Value body_;
};

void FaultCall::read() {
  const auto target = args_.size() > 0 ? target_of(args_[0]) : std::nullopt;
  if (!target) {
    args_.fail_at(args_.size() > 0 ? args_.span(0) : args_.call_span(), star::code::kArgument,
                  fmt::format("the first argument is a service or an interface{}",
                              args_.size() > 0 ? fmt::format(", not a {}", args_[0].type_name())
                                               : std::string()));
  }
  use_.target = *target;
  for (std::size_t i = 1; i < args_.size(); ++i) take_rules(args_[i], "", args_.span(i));
  for (std::size_t k = 0; k < args_.keywords().size(); ++k) read_keyword(k);
  if (used_.empty()) {
    args_.fail_at(args_.call_span(), star::code::kArgument, "no rule is given",
                  "such as write=deny(\"EIO\"), or error(query=\"INSERT*\")");
  }
  if (!body_.is_callable()) {
    args_.fail_at(args_.call_span(), star::code::kArgument, "missing argument for run",
                  "run= is the function during which the rules hold");
  }
}

void FaultCall::read_keyword(std::size_t index) {
  const std::string name(args_.keyword_name(index));
  const Value& value = args_.keyword(index);
  const Span at = args_.keyword_value_span(index);
  if (session_.is_family(name)) {
    take_rules(value, name, at);
  } else if (name == "rules") {
    if (value.as_list() == nullptr && value.as_tuple() == nullptr) {
      args_.fail_at(at, star::code::kArgument, "rules= is a list");
    }
    take_rules(value, "", at);
  } else if (name == "run") {
    if (!value.is_callable()) {
      args_.fail_at(at, star::code::kArgument,
                    fmt::format("run= wants a function, not a {}", value.type_name()),
                    "run=f hands the function over; run=f() calls it before the fault");
    }
    body_ = value;
  } else if (name == "source") {
    use_.source = service_name_of(value);
    use_.source_at = args_.keyword_span(index);
    if (!use_.source) {
      args_.fail_at(at, star::code::kArgument, "source= is a service or \"test\"");
    }
  } else if (name == "to") {
    use_.to = target_of(value);
    if (!use_.to) args_.fail_at(at, star::code::kArgument, "to= is a service or an interface");
  } else {
    refuse_keyword(index);
  }
}

void FaultCall::refuse_keyword(std::size_t index) const {
  const std::string_view name = args_.keyword_name(index);
  std::vector<std::string> known = session_.options.syscall_families;
  known.insert(known.end(), {"rules", "run", "source", "to"});
  args_.fail_at(
      args_.keyword_span(index), star::code::kArgument,
      fmt::format("unexpected keyword argument \"{}\"{}", name, did_you_mean(name, known)),
      "system calls: " + listed(session_.options.syscall_families) +
          "; and rules, run, source, to");
}

void FaultCall::take_rules(const Value& value, const std::string& family, Span at) {
  if (value.as_list() != nullptr || value.as_tuple() != nullptr) {
    for (const Value& item : value.elements()) take_rules(item, family, at);
    return;
  }
  const auto* rule = value.as<RuleValue>();
  if (rule == nullptr) {
    args_.fail_at(at, star::code::kArgument,
                  fmt::format("got {}, want {}", value.type_name(),
                              family.empty() ? "error(...), delay(...) or drop(...)"
                                             : "deny(...) or delay(...)"));
  }
  used_.push_back({rule, family, at});
}

std::string fresh_id(RunState& run, const model::Rule& rule) {
  ++run.rules_made;
  if (!rule.has_label()) return fmt::format("{}/{}", run.name, run.rules_made);
  std::string id = rule.label();
  // The same label again is another rule: its counters start anew.
  for (unsigned n = 2; !run.labels.insert(id).second; ++n) {
    id = fmt::format("{}#{}", rule.label(), n);
  }
  return id;
}

model::Rule FaultCall::rule_from(const UsedRule& used, RunState& run) const {
  const RuleDraft& draft = used.value->draft();
  RuleUse use = use_;
  use.family = used.family;
  auto rule = assemble_rule(session_, draft, use);
  if (!rule) {
    star::raise(rule_complaint(rule.error(), draft, use, used.at));
  }
  const std::string& service = use.target.service();
  if (!use.family.empty() && !session_.families_of(service).contains(use.family)) {
    args_.fail_at(used.at, star::code::kValue,
                  fmt::format("{} was started without looking at its {} calls, because no "
                              "call in the spec says {}=",
                              service, use.family, use.family),
                  fmt::format("service(..., intercept=[\"{}\"])", use.family));
  }
  rule->set_id(fresh_id(run, *rule));
  return *std::move(rule);
}

std::vector<model::Rule> FaultCall::rules(RunState& run) const {
  std::vector<model::Rule> rules;
  rules.reserve(used_.size());
  for (const UsedRule& used : used_) rules.push_back(rule_from(used, run));
  return rules;
}

ArmId arm(const Args& args, TestHost& host, std::vector<model::Rule> rules) {
  Result<ArmId> armed = [&] {
    const star::Runtime::Release unlocked(args.thread().runtime());
    return host.arm(std::move(rules));
  }();
  if (armed) return *armed;
  if (armed.error().code != Code::kInvalid) throw InfrastructureFailed(armed.error().what);
  args.fail(star::code::kValue, armed.error().what);
}

Status disarm(const Args& args, TestHost& host, ArmId armed) {
  const star::Runtime::Release unlocked(args.thread().runtime());
  return host.disarm(armed);
}

}  // namespace

Value run_fault(Args& args) {
  const FaultCall call(args);
  RunState& run = run_of(args);
  const ArmId armed = arm(args, run.host, call.rules(run));
  Value result;
  try {
    result = args.thread().runtime().call(args.thread(), call.body(), {});
  } catch (...) {
    // What went wrong first is what people need to see; that the end of the fault failed too is a
    // note.
    if (auto ended = disarm(args, run.host, armed); !ended) {
      session_of(args).run_notes.push_back("ending the fault: " + ended.error().what);
    }
    throw;
  }
  if (auto ended = disarm(args, run.host, armed); !ended) {
    throw InfrastructureFailed(ended.error().what);
  }
  args.thread().check_cancelled();
  return result;
}

}  // namespace misrule::dsl
