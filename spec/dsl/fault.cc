// fault(): rules that are armed while a function runs, and end with it however it ends.

#include "spec/dsl/builtins.h"
#include "spec/dsl/rules_reader.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

/// fault(target, rule..., rules=[...], write=..., run=, source=, to=).
class FaultCall {
 public:
  explicit FaultCall(const Args& args) : args_(args), rules_(args, {"run"}) { read(); }

  std::vector<model::Rule> rules(RunState& run) const;
  const Value& body() const { return body_; }

 private:
  void read();

  const Args& args_;
  RulesReader rules_;
  Value body_;
};

void FaultCall::read() {
  const bool given = args_.size() > 0;
  rules_.take_target(given ? args_[0] : Value::unbound(), given ? args_.span(0) : args_.call_span(),
                     "the first argument");
  for (std::size_t i = 1; i < args_.size(); ++i) rules_.take_rules(args_[i], "", args_.span(i));
  for (std::size_t k = 0; k < args_.keywords().size(); ++k) {
    if (args_.keyword_name(k) != "run") {
      rules_.take_keyword(k);
      continue;
    }
    if (!args_.keyword(k).is_callable()) {
      args_.fail_at(args_.keyword_value_span(k), star::code::kArgument,
                    fmt::format("run= wants a function, not a {}", args_.keyword(k).type_name()),
                    "run=f hands the function over; run=f() calls it before the fault");
    }
    body_ = args_.keyword(k);
  }
  rules_.require_rules();
  if (!body_.is_callable()) {
    args_.fail_at(args_.call_span(), star::code::kArgument, "missing argument for run",
                  "run= is the function during which the rules hold");
  }
}

std::vector<model::Rule> FaultCall::rules(RunState& run) const {
  std::vector<model::Rule> rules = rules_.rules();
  for (model::Rule& rule : rules) {
    const std::string& service = rule.target().service();
    const std::string& family = rule.syscall().family();
    if (rule.has_syscall() && !session_of(args_).families_of(service).contains(family)) {
      args_.fail_at(rules_.place_of(static_cast<std::size_t>(&rule - rules.data())),
                    star::code::kValue,
                    fmt::format("{} was started without looking at its {} calls, because no "
                                "call in the spec says {}=",
                                service, family, family),
                    fmt::format("service(..., intercept=[\"{}\"])", family));
    }
    rule.set_id(fresh_id(run, rule));
  }
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
