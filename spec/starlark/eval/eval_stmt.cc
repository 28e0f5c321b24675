// Statements.

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/interpreter.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/eval/operators.h"
#include "spec/starlark/eval/registry.h"
#include "spec/starlark/eval/strings.h"

namespace misrule::star {

Interpreter::Flow Interpreter::run_block(Frame& frame, const Block& block) {
  for (const StmtPtr& stmt : block) {
    const Flow flow = run_stmt(frame, *stmt);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_stmt(Frame& frame, const Stmt& stmt) {
  tick();
  switch (stmt.kind) {
    case StmtKind::kExpr:
      eval(frame, *as<ExprStmt>(stmt).value);
      return Flow::kNext;
    case StmtKind::kAssign:
      assign(frame, *as<AssignStmt>(stmt).target, eval(frame, *as<AssignStmt>(stmt).value));
      return Flow::kNext;
    case StmtKind::kAugmented:
      run_augmented(frame, as<AssignStmt>(stmt));
      return Flow::kNext;
    case StmtKind::kDef:
      assign_name(frame, *as<DefStmt>(stmt).name, make_function(frame, as<DefStmt>(stmt).function));
      return Flow::kNext;
    case StmtKind::kIf:
      return run_if(frame, as<IfStmt>(stmt));
    case StmtKind::kFor:
      return run_for(frame, as<ForStmt>(stmt));
    case StmtKind::kWhile:
      return run_while(frame, as<WhileStmt>(stmt));
    case StmtKind::kReturn:
      if (const ExprPtr& value = as<ReturnStmt>(stmt).value) frame.result = eval(frame, *value);
      return Flow::kReturn;
    case StmtKind::kBreak:
      return Flow::kBreak;
    case StmtKind::kContinue:
      return Flow::kContinue;
    case StmtKind::kLoad:
      run_load(frame, as<LoadStmt>(stmt));
      return Flow::kNext;
    case StmtKind::kPass:
      break;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_if(Frame& frame, const IfStmt& stmt) {
  for (const IfStmt::Branch& branch : stmt.branches) {
    if (eval(frame, *branch.condition).truth()) return run_block(frame, branch.body);
  }
  return run_block(frame, stmt.otherwise);
}

Interpreter::Flow Interpreter::run_for(Frame& frame, const ForStmt& stmt) {
  const Value iterable = eval(frame, *stmt.iterable);
  frame.at(*stmt.iterable);
  Iteration iteration(iterable);
  for (Value item; iteration.next(item);) {
    tick();
    assign(frame, *stmt.target, std::move(item));
    const Flow flow = run_block(frame, stmt.body);
    if (flow == Flow::kBreak) break;
    if (flow == Flow::kReturn) return flow;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_while(Frame& frame, const WhileStmt& stmt) {
  while (eval(frame, *stmt.condition).truth()) {
    tick();
    const Flow flow = run_block(frame, stmt.body);
    if (flow == Flow::kBreak) break;
    if (flow == Flow::kReturn) return flow;
  }
  return Flow::kNext;
}

void Interpreter::run_load(Frame& frame, const LoadStmt& stmt) {
  frame.at(stmt.path_lo, stmt.path_hi);
  const Ref<Module> loaded = thread_.runtime_.registry_->load(thread_, frame.module, stmt.path);
  for (const LoadStmt::Binding& binding : stmt.bindings) {
    frame.at(binding.lo, binding.hi);
    std::optional<Value> value = loaded->global(binding.original);
    if (!value) {
      const auto names = loaded->names();
      raise(code::kLoad, fmt::format("load: name {} not found in module {}{}", binding.original,
                                     stmt.path, did_you_mean(binding.original, names)));
    }
    assign_name(frame, *binding.local, std::move(*value));
  }
}

void Interpreter::assign_name(Frame& frame, const NameExpr& name, Value value) {
  switch (name.scope) {
    case Scope::kLocal:
      frame.locals[name.slot] = std::move(value);
      return;
    case Scope::kCell:
      static_cast<Cell*>(frame.locals[name.slot].as_object())->value = std::move(value);
      return;
    default:
      frame.module->globals_[name.slot] = std::move(value);
      return;
  }
}

void Interpreter::assign(Frame& frame, const Expr& target, Value value) {
  switch (target.kind) {
    case ExprKind::kName:
      return assign_name(frame, as<NameExpr>(target), std::move(value));
    case ExprKind::kIndex: {
      const auto& index = as<IndexExpr>(target);
      const Value object = eval(frame, *index.object);
      const Value key = eval(frame, *index.index);
      frame.at(target);
      return assign_item(object, key, std::move(value));
    }
    case ExprKind::kAttribute: {
      const auto& attribute = as<AttributeExpr>(target);
      const Value object = eval(frame, *attribute.object);
      frame.at(attribute.name_lo, attribute.hi);
      if (Object* holder = object.as_object()) {
        return holder->set_attribute(attribute.name, std::move(value));
      }
      raise(code::kType, fmt::format("can't assign to .{} field of {}", attribute.name.text(),
                                     object.type_name()));
    }
    default:
      frame.at(target);
      return unpack(frame, as<ListExpr>(target), value);
  }
}

void Interpreter::unpack(Frame& frame, const ListExpr& targets, const Value& value) {
  if (!is_iterable(value)) {
    raise(code::kType, fmt::format("got {} in sequence assignment", value.type_name()));
  }
  const std::size_t want = targets.items.size();
  std::vector<Value> items;
  {
    Iteration iteration(value);
    for (Value item; items.size() <= want && iteration.next(item);) items.push_back(item);
  }
  if (items.size() < want) {
    raise(code::kValue,
          fmt::format("too few values to unpack (got {}, want {})", items.size(), want));
  }
  if (items.size() > want) {
    const auto length = length_of(value);
    raise(code::kValue,
          length ? fmt::format("too many values to unpack (got {}, want {})", *length, want)
                 : fmt::format("too many values to unpack (want {})", want));
  }
  for (std::size_t i = 0; i < want; ++i) assign(frame, *targets.items[i], std::move(items[i]));
}

namespace {

void extend_in_place(List& list, const Value& right) {
  list.check_mutable("apply += to");
  std::vector<Value> more = right.elements();
  auto& items = list.mutable_items();
  std::move(more.begin(), more.end(), std::back_inserter(items));
  list.account();
}

void merge_in_place(Dict& dict, const Dict& right) {
  dict.check_mutable("apply |= to");
  if (&dict == &right) return;
  std::size_t cursor = 0;
  while (const Table::Entry* entry = right.table().next(cursor)) {
    dict.mutable_table().set(entry->key, entry->value);
  }
}

}  // namespace

Value Interpreter::combine(Frame& frame, const AssignStmt& stmt, Value current,
                           const Value& right) {
  frame.at(stmt.target->lo, stmt.value->hi);
  const bool small = current.is_small_int() && right.is_small_int();
  if (small && stmt.op != BinaryOp::kDivide) return int_binary(stmt.op, current, right);
  if (stmt.op == BinaryOp::kAdd && current.kind() == Kind::kList && is_iterable(right)) {
    extend_in_place(*current.as_list(), right);
    return current;
  }
  if (stmt.op == BinaryOp::kBitOr && current.kind() == Kind::kDict && right.kind() == Kind::kDict) {
    merge_in_place(*current.as_dict(), *right.as_dict());
    return current;
  }
  return binary_op(stmt.op, current, right);
}

void Interpreter::run_augmented(Frame& frame, const AssignStmt& stmt) {
  const Expr& target = *stmt.target;
  if (target.kind == ExprKind::kName) {
    const auto& name = as<NameExpr>(target);
    Value current = eval_name(frame, name);
    const Value right = eval(frame, *stmt.value);
    return assign_name(frame, name, combine(frame, stmt, std::move(current), right));
  }
  if (target.kind == ExprKind::kIndex) {
    const Value object = eval(frame, *as<IndexExpr>(target).object);
    const Value key = eval(frame, *as<IndexExpr>(target).index);
    frame.at(target);
    Value current = item_of(object, key);
    const Value right = eval(frame, *stmt.value);
    Value combined = combine(frame, stmt, std::move(current), right);
    return assign_item(object, key, std::move(combined));
  }
  const auto& attribute = as<AttributeExpr>(target);
  const Value object = eval(frame, *attribute.object);
  frame.at(attribute.name_lo, attribute.hi);
  Value current = require_attribute(object, attribute.name);
  const Value right = eval(frame, *stmt.value);
  Value combined = combine(frame, stmt, std::move(current), right);
  Object* holder = object.as_object();
  if (holder == nullptr) {
    raise(code::kType, fmt::format("can't assign to .{} field of {}", attribute.name.text(),
                                   object.type_name()));
  }
  holder->set_attribute(attribute.name, std::move(combined));
}

}  // namespace misrule::star
