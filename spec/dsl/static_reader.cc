#include "spec/dsl/static_reader.h"

#include <algorithm>

#include "spec/dsl/builtins.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Argument;
using star::ArgumentKind;
using star::CallExpr;
using star::Expr;
using star::ExprKind;
using star::NameExpr;
using star::Scope;
using star::Span;
using star::Value;

namespace {

constexpr int kDepthMax = 16;

/// Gathers what a unit calls, names and assigns.
class UnitVisitor final : public star::SyntaxVisitor {
 public:
  explicit UnitVisitor(Unit& unit) : unit_(unit) {}

  void visit_call(const CallExpr& call) override {
    unit_.calls.push_back(&call);
    SyntaxVisitor::visit_call(call);
  }
  void visit_other(const Expr& expr) override {
    if (expr.kind == ExprKind::kName) unit_.names.push_back(&expr);
    if (expr.kind == ExprKind::kAttribute) {
      unit_.attributes.push_back(&star::as<star::AttributeExpr>(expr));
    }
    SyntaxVisitor::visit_other(expr);
  }
  void visit_stmt(const star::Stmt& stmt) override {
    if (stmt.kind == star::StmtKind::kAssign) note_assignment(star::as<star::AssignStmt>(stmt));
    SyntaxVisitor::visit_stmt(stmt);
  }

 private:
  void note_assignment(const star::AssignStmt& assign) {
    if (assign.target->kind != ExprKind::kName) return;
    const std::string name(star::as<NameExpr>(*assign.target).name.text());
    const auto [at, first] = unit_.locals.emplace(name, assign.value.get());
    if (!first) at->second = nullptr;
  }

  Unit& unit_;
};

std::string unit_name(const star::Stmt& stmt) {
  if (stmt.kind == star::StmtKind::kDef) return star::as<star::DefStmt>(stmt).function.name;
  if (stmt.kind != star::StmtKind::kAssign) return {};
  const Expr& target = *star::as<star::AssignStmt>(stmt).target;
  return target.kind == ExprKind::kName ? std::string(star::as<NameExpr>(target).name.text())
                                        : std::string();
}

}  // namespace

std::vector<Unit> units_of(const star::Module& module) {
  std::vector<Unit> units;
  for (const star::StmtPtr& stmt : module.syntax().body) {
    Unit unit{.module = &module, .stmt = stmt.get(), .name = unit_name(*stmt)};
    UnitVisitor visitor(unit);
    visitor.visit_stmt(*stmt);
    units.push_back(std::move(unit));
  }
  return units;
}

bool is_builtin(const Expr& expr, std::string_view name) {
  if (expr.kind != ExprKind::kName) return false;
  const auto& written = star::as<NameExpr>(expr);
  return written.scope == Scope::kPredeclared && written.name.text() == name;
}

void StaticReader::complain(Span at, std::string message, std::string help) {
  problems_.push_back(
      diagnostic_at(star::Severity::kError, at, std::move(message), std::move(help)));
}

std::optional<star::Diagnostic> StaticReader::failure_of(
    const Value& function, const std::vector<Value>& positional,
    const std::vector<star::Keyword>& keywords) {
  auto result = thread_.runtime().try_call(thread_, function, positional, keywords);
  if (result || result.error().problems.empty()) return std::nullopt;
  return result.error().problems.front();
}

std::optional<StaticValue> StaticReader::value_of(const Unit& unit, const Expr& expr, int depth) {
  if (depth > kDepthMax) return std::nullopt;
  if (const Value* literal = star::literal_of(expr); literal != nullptr)
    return StaticValue{*literal};
  if (expr.kind == ExprKind::kList || expr.kind == ExprKind::kTuple)
    return list_value(unit, star::as<star::ListExpr>(expr), depth);
  if (expr.kind == ExprKind::kDict) return dict_value(unit, star::as<star::DictExpr>(expr), depth);
  if (expr.kind == ExprKind::kName) return name_value(unit, star::as<NameExpr>(expr), depth);
  if (expr.kind == ExprKind::kCall) return action_value(unit, star::as<CallExpr>(expr), depth);
  if (expr.kind != ExprKind::kAttribute) return std::nullopt;
  const auto& attribute = star::as<star::AttributeExpr>(expr);
  const auto object = value_of(unit, *attribute.object, depth + 1);
  if (!object) return std::nullopt;
  if (object->value.as<ServiceValue>() == nullptr &&
      object->value.as<InterfaceValue>() == nullptr) {
    return std::nullopt;
  }
  auto found = object->value.attribute(attribute.name);
  return found ? std::optional(StaticValue{*std::move(found)}) : std::nullopt;
}

std::optional<StaticValue> StaticReader::list_value(const Unit& unit, const star::ListExpr& list,
                                                    int depth) {
  std::vector<Value> items;
  bool complete = true;
  for (const auto& item : list.items) {
    auto value = value_of(unit, *item, depth + 1);
    if (!value) return std::nullopt;
    complete = complete && value->complete;
    items.push_back(std::move(value->value));
  }
  const bool is_tuple = list.kind == ExprKind::kTuple;
  return StaticValue{is_tuple ? Value::tuple(std::move(items)) : Value::list(std::move(items)),
                     complete};
}

std::optional<StaticValue> StaticReader::dict_value(const Unit& unit, const star::DictExpr& dict,
                                                    int depth) {
  StaticValue made{Value::dict()};
  for (const star::DictEntry& entry : dict.entries) {
    const auto key = value_of(unit, *entry.key, depth + 1);
    const auto value = value_of(unit, *entry.value, depth + 1);
    const bool hashable = key && (key->value.as_string() || key->value.as_int());
    if (!hashable || !value) return std::nullopt;
    made.complete = made.complete && key->complete && value->complete;
    made.value.as_dict()->set(key->value, value->value);
  }
  return made;
}

std::optional<StaticValue> StaticReader::name_value(const Unit& unit, const NameExpr& name,
                                                    int depth) {
  const std::string text(name.name.text());
  if (name.scope == Scope::kGlobal) {
    auto value = unit.module->global(text);
    return value ? std::optional(StaticValue{*std::move(value)}) : std::nullopt;
  }
  if (name.scope == Scope::kFile) {
    for (const auto& loaded : unit.module->loaded()) {
      if (auto value = loaded->global(text)) return StaticValue{*std::move(value)};
    }
    return std::nullopt;
  }
  const bool local =
      name.scope == Scope::kLocal || name.scope == Scope::kCell || name.scope == Scope::kFree;
  const auto assigned = unit.locals.find(text);
  if (!local || assigned == unit.locals.end() || assigned->second == nullptr) return std::nullopt;
  return value_of(unit, *assigned->second, depth + 1);
}

bool StaticReader::check_keywords(const Unit& unit, const CallExpr& call, const std::string& verb) {
  const auto& known = action_keywords(verb);
  bool right = true;
  for (const Argument& argument : call.arguments) {
    if (argument.kind != ArgumentKind::kKeyword) continue;
    const std::string_view name = argument.name.text();
    if (std::ranges::find(known, name) != known.end()) continue;
    complain({&unit.module->file(), argument.lo, argument.value->hi},
             fmt::format("{}: unexpected keyword argument \"{}\"{}", verb, name,
                         did_you_mean(name, known)),
             "it takes " + listed(known));
    right = false;
  }
  return right;
}

/// The argument that a message is about: the one whose name or text it quotes.
Span StaticReader::blamed(const Unit& unit, const CallExpr& call,
                          const std::string& message) const {
  for (const Argument& argument : call.arguments) {
    const Value* literal = star::literal_of(*argument.value);
    const auto text = literal == nullptr ? std::nullopt : literal->as_string();
    const bool named =
        argument.kind == ArgumentKind::kKeyword &&
        (message.find(fmt::format(" {}=", argument.name.text())) != std::string::npos ||
         message.find(fmt::format("\"{}\"", argument.name.text())) != std::string::npos);
    const bool quoted = text && message.find(fmt::format("\"{}\"", *text)) != std::string::npos;
    if (named || quoted) return span_of(unit, *argument.value);
  }
  const bool first =
      message.find(": for parameter ") != std::string::npos && !call.arguments.empty();
  return first ? span_of(unit, *call.arguments.front().value) : span_of(unit, call);
}

std::optional<StaticValue> StaticReader::action_value(const Unit& unit, const CallExpr& call,
                                                      int depth) {
  constexpr std::pair<std::string_view, star::NativePointer> kVerbs[] = {
      {"deny", make_deny},           {"delay", make_delay},     {"error", make_error},
      {"drop", make_drop},           {"link", make_link},       {"lost_reply", make_lost_reply},
      {"reset", make_reset},         {"close", make_close},     {"hold", make_hold},
      {"throttle", make_throttle},   {"respond", make_respond}, {"rewrite", make_rewrite},
      {"duplicate", make_duplicate}, {"corrupt", make_corrupt}, {"truncate", make_truncate}};
  const auto verb = std::ranges::find_if(
      kVerbs, [&](const auto& candidate) { return is_builtin(*call.callee, candidate.first); });
  if (verb == std::end(kVerbs)) return std::nullopt;
  if (const auto known = actions_.find(&call); known != actions_.end()) return known->second;
  auto& answer = actions_[&call];
  const std::string name(verb->first);
  if (!check_keywords(unit, call, name)) return answer;
  std::vector<Value> positional;
  std::vector<star::Keyword> keywords;
  bool complete = true;
  for (const Argument& argument : call.arguments) {
    const bool plain =
        argument.kind == ArgumentKind::kPositional || argument.kind == ArgumentKind::kKeyword;
    const auto value = plain ? value_of(unit, *argument.value, depth + 1) : std::nullopt;
    complete = complete && value && value->complete;
    if (!value) continue;
    if (argument.kind == ArgumentKind::kKeyword)
      keywords.push_back({argument.name, value->value});
    else
      positional.push_back(value->value);
  }
  const Value native = star::NativeFunction::make(name, verb->second);
  auto made = thread_.runtime().try_call(thread_, native, positional, keywords);
  if (!made && complete) {
    const star::Diagnostic& problem = made.error().problems.front();
    complain(blamed(unit, call, problem.message), problem.message, problem.help);
  }
  if (!made) return answer;
  RuleDraft draft = made->as<RuleValue>()->draft();
  draft.at = span_of(unit, call);
  for (const Argument& argument : call.arguments) {
    const Span at = {&unit.module->file(), argument.lo, argument.value->hi};
    if (argument.kind == ArgumentKind::kKeyword) {
      draft.written.emplace(argument.name.text(), at);
    } else if (argument.kind == ArgumentKind::kPositional) {
      draft.written.emplace(first_parameter(draft.verb), at);
    }
  }
  answer = StaticValue{Value::object(star::make<RuleValue>(std::move(draft))), complete};
  return answer;
}

}  // namespace misrule::dsl
