// Calls in bodies that are wrong as they stand: steps that an interface has not, keywords that a
// builtin does not take, a result where a function is wanted.

#include <algorithm>

#include "spec/dsl/analysis.h"
#include "spec/dsl/rule_value.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Argument;
using star::ArgumentKind;
using star::AttributeExpr;
using star::CallExpr;
using star::Expr;
using star::ExprKind;
using star::Scope;
using star::Span;
using star::Value;

namespace {

/// What a builtin takes; those by keyword alone come last.
struct Shape {
  std::string_view name;
  std::vector<std::string_view> positional;
  std::vector<std::string_view> by_keyword;
  std::size_t required;
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> kShapes = {
      {"assert_eq", {"a", "b", "msg"}, {}, 2},
      {"assert_true", {"cond", "msg"}, {}, 1},
      {"assert_eventually", {"where", "service", "msg", "within"}, {"type"}, 0},
      {"assert_never", {"where", "service", "msg"}, {"type"}, 0},
      {"assert_before", {"first", "then"}, {"every", "where", "type", "service", "msg"}, 2},
      {"partition", {"a", "b"}, {"run", "mode", "name", "label", "description", "optional"}, 2},
      {"events", {"where", "service", "before"}, {"type"}, 0},
  };
  return kShapes;
}

/// Arguments that only the run knows: what is missing cannot be told.
bool is_open(const CallExpr& call) {
  return std::ranges::any_of(call.arguments, [](const Argument& argument) {
    return argument.kind == ArgumentKind::kStar || argument.kind == ArgumentKind::kStarStar;
  });
}

/// The returns of one function, without those of functions within it.
class Returns final : public star::SyntaxVisitor {
 public:
  void visit_stmt(const star::Stmt& stmt) override {
    if (stmt.kind == star::StmtKind::kReturn) {
      values.push_back(star::as<star::ReturnStmt>(stmt).value.get());
    }
    SyntaxVisitor::visit_stmt(stmt);
  }
  void visit_def(const star::DefStmt&) override {}
  void visit_lambda(const star::LambdaExpr&) override {}
  void visit_other(const Expr&) override {}

  std::vector<const Expr*> values;  ///< Null: a return of nothing.
};

class CallChecker {
 public:
  CallChecker(const std::vector<Unit>& units, const Unit& unit, StaticReader& reader)
      : units_(units), unit_(unit), reader_(reader) {}

  void check_attribute(const AttributeExpr& attribute);
  void check_call(const CallExpr& call);

 private:
  std::optional<Value> sure_value(const Expr& expr) const;
  Value step_check_of(const Expr& callee) const;
  void check_step(const CallExpr& call, const Value& check);
  Span blamed(const CallExpr& call, const std::string& message) const;
  void check_shape(const CallExpr& call, const Shape& shape);
  void check_fault(const CallExpr& call);
  void check_fault_argument(const CallExpr& call, std::size_t index);
  void check_parallel(const CallExpr& call);
  /// "response" of a call whose result is known not to be a function; empty for any other.
  std::string result_of(const Expr& expr) const;
  std::string result_of_function(std::string_view name) const;
  bool is_bound_once(std::string_view name) const;
  Span span_of(const Argument& argument) const {
    return {&unit_.module->file(), argument.lo, argument.value->hi};
  }

  const std::vector<Unit>& units_;
  const Unit& unit_;
  StaticReader& reader_;
};

bool CallChecker::is_bound_once(std::string_view name) const {
  return std::ranges::count(units_, name, &Unit::name) <= 1;
}

/// A literal, or what hangs on a global name that is given once: whatever runs, it is this.
std::optional<Value> CallChecker::sure_value(const Expr& expr) const {
  const Expr* root = &expr;
  while (root->kind == ExprKind::kAttribute) root = star::as<AttributeExpr>(*root).object.get();
  if (root->kind == ExprKind::kName) {
    const auto& name = star::as<star::NameExpr>(*root);
    const bool global = name.scope == Scope::kGlobal || name.scope == Scope::kFile;
    if (!global || !is_bound_once(name.name.text())) return std::nullopt;
  } else if (root->kind == ExprKind::kCall) {
    return std::nullopt;
  }
  const auto value = reader_.value_of(unit_, expr);
  return value ? std::optional(value->value) : std::nullopt;
}

void CallChecker::check_attribute(const AttributeExpr& attribute) {
  const auto object = sure_value(*attribute.object);
  if (!object) return;
  const auto* service = object->as<ServiceValue>();
  const auto* interface = object->as<InterfaceValue>();
  if ((service == nullptr && interface == nullptr) || object->attribute(attribute.name)) return;
  const star::Complaint complaint = service != nullptr ? service->no_attribute(attribute.name)
                                                       : interface->no_attribute(attribute.name);
  reader_.complain({&unit_.module->file(), attribute.name_lo, attribute.hi}, complaint.message,
                   complaint.help);
}

/// None unless the callee is a step.
Value CallChecker::step_check_of(const Expr& callee) const {
  if (callee.kind != ExprKind::kAttribute) return {};
  const auto& attribute = star::as<AttributeExpr>(callee);
  const auto object = sure_value(*attribute.object);
  if (!object || !is_step_name(attribute.name.text()) || !object->attribute(attribute.name)) {
    return {};
  }
  if (const auto* interface = object->as<InterfaceValue>(); interface != nullptr) {
    return make_step_check(interface->declared().protocol, attribute.name.text());
  }
  const auto* service = object->as<ServiceValue>();
  if (service == nullptr || service->declared().interfaces.size() != 1) return {};
  return make_step_check(service->declared().interfaces.front().protocol, attribute.name.text());
}

/// Stands for what only the run knows, so that what is known can be checked.
Value stand_in_for(const Argument& argument) {
  const std::string_view name =
      argument.kind == ArgumentKind::kKeyword ? argument.name.text() : std::string_view();
  if (name == "headers" || name == "query") return Value::dict();
  if (name == "params") return Value::list({});
  return Value::string(name == "timeout" ? "1s" : "/");
}

void CallChecker::check_step(const CallExpr& call, const Value& check) {
  if (is_open(call)) return;
  std::vector<Value> positional;
  std::vector<star::Keyword> keywords;
  bool all_known = true;
  for (const Argument& argument : call.arguments) {
    const auto known = sure_value(*argument.value);
    all_known = all_known && known;
    const Value value = known ? *known : stand_in_for(argument);
    if (argument.kind == ArgumentKind::kKeyword)
      keywords.push_back({argument.name, value});
    else
      positional.push_back(value);
  }
  const auto problem = reader_.failure_of(check, positional, keywords);
  if (!problem) return;
  const bool about_names = problem->message.find("keyword argument") != std::string::npos ||
                           problem->message.find("missing argument") != std::string::npos ||
                           problem->message.find(" arguments, want ") != std::string::npos;
  if (!all_known && !about_names) return;
  reader_.complain(blamed(call, problem->message), problem->message, problem->help);
}

/// The argument that a step's message is about, else the step's name.
Span CallChecker::blamed(const CallExpr& call, const std::string& message) const {
  const auto says = [&message](const std::string& text) {
    return message.find(text) != std::string::npos;
  };
  for (const Argument& argument : call.arguments) {
    if (argument.kind != ArgumentKind::kKeyword) continue;
    const std::string name(argument.name.text());
    if (says("unexpected keyword argument \"" + name + "\"")) return span_of(argument);
    const bool about = says("parameter \"" + name + "\"") || says(": " + name + "= is text") ||
                       says(": " + name + " \"") || (name == "headers" && says("a header"));
    if (about) return reader_.span_of(unit_, *argument.value);
  }
  const auto& callee = star::as<AttributeExpr>(*call.callee);
  return {&unit_.module->file(), callee.name_lo, callee.hi};
}

void CallChecker::check_shape(const CallExpr& call, const Shape& shape) {
  std::vector<std::string> known(shape.positional.begin(), shape.positional.end());
  known.insert(known.end(), shape.by_keyword.begin(), shape.by_keyword.end());
  std::size_t given = 0;
  std::vector<std::string_view> named;
  for (const Argument& argument : call.arguments) {
    if (argument.kind == ArgumentKind::kPositional) ++given;
    if (argument.kind != ArgumentKind::kKeyword) continue;
    const std::string_view name = argument.name.text();
    named.push_back(name);
    if (std::ranges::find(known, name) != known.end()) continue;
    reader_.complain(span_of(argument),
                     fmt::format("{}: unexpected keyword argument \"{}\"{}", shape.name, name,
                                 did_you_mean(name, known)),
                     "it takes: " + listed(known));
    return;
  }
  const Span at = reader_.span_of(unit_, *call.callee);
  if (given > shape.positional.size()) {
    reader_.complain(at,
                     fmt::format("{}: got {} arguments, want at most {}", shape.name, given,
                                 shape.positional.size()),
                     "it takes: " + listed(known));
  }
  for (std::size_t i = given; i < shape.required && !is_open(call); ++i) {
    if (std::ranges::find(named, shape.positional[i]) != named.end()) continue;
    reader_.complain(at,
                     fmt::format("{}: missing argument for {}", shape.name, shape.positional[i]),
                     "it takes: " + listed(known));
    return;
  }
}

std::string CallChecker::result_of_function(std::string_view name) const {
  for (const Unit& unit : units_) {
    if (unit.name != name || unit.stmt->kind != star::StmtKind::kDef) continue;
    Returns returns;
    returns.visit_block(star::as<star::DefStmt>(*unit.stmt).function.body);
    std::string result = "None";
    const CallChecker inside(units_, unit, reader_);
    for (const Expr* value : returns.values) {
      if (value == nullptr) continue;
      const bool is_step = value->kind == ExprKind::kCall &&
                           !inside.step_check_of(*star::as<CallExpr>(*value).callee).is_none();
      if (!is_step) return {};
      result = "response";
    }
    return result;
  }
  return {};
}

std::string CallChecker::result_of(const Expr& expr) const {
  if (expr.kind != ExprKind::kCall) return {};
  const Expr& callee = *star::as<CallExpr>(expr).callee;
  if (!step_check_of(callee).is_none()) return "response";
  if (callee.kind != ExprKind::kName) return {};
  const auto& name = star::as<star::NameExpr>(callee);
  if (name.scope != Scope::kGlobal || !is_bound_once(name.name.text())) return {};
  return result_of_function(name.name.text());
}

void CallChecker::check_fault_argument(const CallExpr& call, std::size_t index) {
  const Argument& argument = call.arguments[index];
  const bool is_run = argument.kind == ArgumentKind::kKeyword && argument.name.text() == "run";
  const Span at = reader_.span_of(unit_, *argument.value);
  if (is_run) {
    const auto known = sure_value(*argument.value);
    const std::string result = result_of(*argument.value);
    if (result.empty() && (!known || known->is_callable())) return;
    const std::string got = result.empty() ? std::string(known->type_name()) : result;
    reader_.complain(
        at, fmt::format("fault: run= wants a function, not {}{}", got == "None" ? "" : "a ", got),
        "run=f hands the function over; run=f() calls it before the fault");
    return;
  }
  if (argument.kind != ArgumentKind::kPositional) return;
  const auto known = sure_value(*argument.value);
  if (!known) return;
  if (index == 0 && !target_of(*known)) {
    reader_.complain(at, fmt::format("fault: the first argument is a service or an interface, not "
                                     "a {}",
                                     known->type_name()));
  }
  const bool rules = known->as<RuleValue>() != nullptr || known->as_list() != nullptr ||
                     known->as_tuple() != nullptr;
  if (index > 0 && !rules) {
    reader_.complain(at, fmt::format("fault: got {}, want error(...), delay(...) or drop(...)",
                                     known->type_name()));
  }
}

void CallChecker::check_fault(const CallExpr& call) {
  for (std::size_t i = 0; i < call.arguments.size(); ++i) check_fault_argument(call, i);
  const bool has_target =
      !call.arguments.empty() && call.arguments.front().kind != ArgumentKind::kKeyword;
  if (!has_target && !is_open(call)) {
    reader_.complain(reader_.span_of(unit_, *call.callee),
                     "fault: the first argument is a service or an interface");
  }
}

void CallChecker::check_parallel(const CallExpr& call) {
  const Span whole = reader_.span_of(unit_, *call.callee);
  if (call.arguments.empty()) reader_.complain(whole, "parallel: no function is given");
  for (const Argument& argument : call.arguments) {
    if (argument.kind == ArgumentKind::kKeyword) {
      reader_.complain(
          span_of(argument),
          fmt::format("parallel: unexpected keyword argument \"{}\"", argument.name.text()));
    }
    if (argument.kind != ArgumentKind::kPositional) continue;
    const auto known = sure_value(*argument.value);
    const std::string result = result_of(*argument.value);
    if (result.empty() && (!known || known->is_callable())) continue;
    reader_.complain(reader_.span_of(unit_, *argument.value),
                     fmt::format("parallel: got {}, want a function without parameters",
                                 result.empty() ? std::string(known->type_name()) : result),
                     "lambda: f(x) makes one of a call");
  }
}

void CallChecker::check_call(const CallExpr& call) {
  if (const Value check = step_check_of(*call.callee); !check.is_none()) check_step(call, check);
  for (const Shape& shape : shapes()) {
    if (is_builtin(*call.callee, shape.name)) check_shape(call, shape);
  }
  if (is_builtin(*call.callee, "fault")) check_fault(call);
  if (is_builtin(*call.callee, "parallel")) check_parallel(call);
}

}  // namespace

void check_calls(const std::vector<Unit>& units, const Unit& unit, StaticReader& reader) {
  // What stands outside of definitions has run already, with whatever its names meant then.
  if (unit.name.empty()) return;
  CallChecker checker(units, unit, reader);
  for (const AttributeExpr* attribute : unit.attributes) checker.check_attribute(*attribute);
  for (const CallExpr* call : unit.calls) checker.check_call(*call);
}

}  // namespace misrule::dsl
