// fault_scenario(): a scenario under faults as a test. What it shares with fault_matrix().

#include <algorithm>

#include "spec/dsl/arguments.h"
#include "spec/dsl/assumption.h"
#include "spec/dsl/builtins.h"

namespace misrule::dsl {

using star::Args;
using star::Span;
using star::Value;

namespace {

constexpr std::string_view kControlPrefix = "control.";

/// Labels are ids; the same label again is another rule.
void name_rules(const std::string& test, std::vector<model::Rule>& rules) {
  std::set<std::string> taken;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    model::Rule& rule = rules[i];
    std::string id = rule.has_label() ? rule.label() : fmt::format("{}/{}", test, i + 1);
    for (unsigned n = 2; !taken.insert(id).second; ++n) id = fmt::format("{}#{}", rule.label(), n);
    rule.set_id(id);
  }
}

}  // namespace

void check_scenario(const Args& args, const Value& scenario, Span at) {
  const star::Function* written = scenario.as_function();
  if (scenario.is_callable() && (written == nullptr || written->accepts(0))) return;
  args.fail_at(at, star::code::kArgument,
               fmt::format("got {}, want a function without parameters", scenario.type_name()),
               "a scenario is handed over without being called");
}

void check_judging(const Args& args, const Value& function, std::string_view what, Span at) {
  const star::Function* written = function.as_function();
  if (function.is_callable() && (written == nullptr || written->accepts(1))) return;
  args.fail_at(at, star::code::kArgument,
               fmt::format("{} wants a function of what the scenario returned, not a {}", what,
                           function.type_name()),
               "lambda r: assert_true(r.status < 500)");
}

std::string scenario_name(const Value& scenario) {
  const star::Function* written = scenario.as_function();
  return written == nullptr || written->is_lambda() ? "scenario" : std::string(written->name());
}

std::string control_of(Session& session, const TestDeclared& test, const Value& check,
                       const std::vector<const AssumptionValue*>& faults) {
  const auto same = [&](const ControlDeclared& other) {
    return other.scenario.same_as(test.scenario) && other.check.same_as(check);
  };
  auto control = std::ranges::find_if(session.controls, same);
  if (control == session.controls.end()) {
    const std::string wanted = std::string(kControlPrefix) + scenario_name(test.scenario);
    std::string name = wanted;
    const auto taken = [&] {
      return std::ranges::find(session.controls, name, &ControlDeclared::name) !=
             session.controls.end();
    };
    for (unsigned n = 2; taken(); ++n) name = fmt::format("{}.{}", wanted, n);
    session.controls.push_back(
        {.name = name, .scenario = test.scenario, .check = check, .at = test.at});
    control = std::prev(session.controls.end());
  }
  for (const AssumptionValue* fault : faults) {
    const std::vector<Value>& more = fault->monitors();
    control->monitors.insert(control->monitors.end(), more.begin(), more.end());
  }
  return control->name;
}

void add_test(const Args& args, TestDeclared declared,
              const std::vector<const AssumptionValue*>& faults) {
  Session& session = session_of(args);
  for (const TestDeclared& other : session.tests) {
    if (other.test.name != declared.test.name) continue;
    star::raise({.code = star::code::kValue,
                 .message = fmt::format("{}: there are two tests called {}", args.name(),
                                        declared.test.name),
                 .at = declared.at,
                 .labels = {{other.at, "the first is made here"}}});
  }
  for (const AssumptionValue* fault : faults) {
    declared.test.declared.insert(declared.test.declared.end(), fault->rules().begin(),
                                  fault->rules().end());
    declared.monitors.insert(declared.monitors.end(), fault->monitors().begin(),
                             fault->monitors().end());
  }
  name_rules(declared.test.name, declared.test.declared);
  declared.test.position = position_of(declared.at);
  declared.test.has_oracle = !declared.expect.is_unbound();
  session.tests.push_back(std::move(declared));
}

Value declare_fault_scenario(Args& args) {
  std::string name;
  Value scenario;
  std::optional<Value> faults;
  std::optional<Value> expect;
  std::optional<Value> control;
  std::string description;
  args.unpack({star::required("name", name), star::required("scenario", scenario),
               star::optional("faults", faults).by_keyword(),
               star::optional("expect", expect).by_keyword(),
               star::optional("control", control).by_keyword(),
               star::optional("description", description).by_keyword()});
  const auto span_of = [&](std::string_view keyword) {
    const auto index = args.find_keyword(keyword);
    return index ? args.keyword_value_span(*index) : args.call_span();
  };
  if (name.empty()) args.fail(star::code::kValue, "the name is empty");
  check_name(args, name, args.size() > 0 ? args.span(0) : span_of("name"));
  check_scenario(args, scenario, args.size() > 1 ? args.span(1) : span_of("scenario"));
  if (expect) check_judging(args, *expect, "expect=", span_of("expect"));
  if (control) check_judging(args, *control, "control=", span_of("control"));
  std::vector<const AssumptionValue*> assumed;
  if (faults) assumed = assumptions_of(args, *faults, span_of("faults"));
  TestDeclared declared = {.test = {.name = name, .description = description},
                           .scenario = scenario,
                           .expect = expect.value_or(Value::unbound()),
                           .at = args.call_span()};
  if (!assumed.empty()) {
    declared.test.control =
        control_of(session_of(args), declared, control.value_or(Value::unbound()), assumed);
  }
  add_test(args, std::move(declared), assumed);
  return Value::none();
}

}  // namespace misrule::dsl
