// Expressions, but for calls.

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/compare.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/interpreter.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/eval/operators.h"
#include "spec/starlark/eval/registry.h"
#include "spec/starlark/eval/strings.h"

namespace misrule::star {

Value Interpreter::eval(Frame& frame, const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral:
      return as<LiteralExpr>(expr).value;
    case ExprKind::kName:
      return eval_name(frame, as<NameExpr>(expr));
    case ExprKind::kList:
    case ExprKind::kTuple:
      return eval_list(frame, as<ListExpr>(expr));
    case ExprKind::kDict:
      return eval_dict(frame, as<DictExpr>(expr));
    case ExprKind::kComprehension:
      return eval_comprehension(frame, as<ComprehensionExpr>(expr));
    case ExprKind::kUnary:
      return eval_unary(frame, as<UnaryExpr>(expr));
    case ExprKind::kBinary:
      return eval_binary(frame, as<BinaryExpr>(expr));
    case ExprKind::kCompare:
      return eval_compare(frame, as<CompareExpr>(expr));
    case ExprKind::kLogical: {
      const auto& logical = as<LogicalExpr>(expr);
      Value left = eval(frame, *logical.left);
      if (left.truth() != logical.is_and) return left;
      return eval(frame, *logical.right);
    }
    case ExprKind::kConditional: {
      const auto& conditional = as<ConditionalExpr>(expr);
      const bool truth = eval(frame, *conditional.condition).truth();
      return eval(frame, truth ? *conditional.then_value : *conditional.else_value);
    }
    case ExprKind::kCall:
      return eval_call(frame, as<CallExpr>(expr));
    case ExprKind::kAttribute:
      return eval_attribute(frame, as<AttributeExpr>(expr));
    case ExprKind::kIndex:
      return eval_index(frame, as<IndexExpr>(expr));
    case ExprKind::kSlice:
      return eval_slice(frame, as<SliceExpr>(expr));
    case ExprKind::kLambda:
      return make_function(frame, as<LambdaExpr>(expr).function);
    case ExprKind::kInvalid:
      break;
  }
  return {};
}

Value Interpreter::eval_name(Frame& frame, const NameExpr& name) {
  const Value* found = nullptr;
  switch (name.scope) {
    case Scope::kLocal:
      found = &frame.locals[name.slot];
      break;
    case Scope::kCell:
      found = &static_cast<const Cell*>(frame.locals[name.slot].as_object())->value;
      break;
    case Scope::kFree:
      found = &static_cast<const Cell*>(frame.captured[name.slot].as_object())->value;
      break;
    case Scope::kGlobal:
    case Scope::kFile:
      found = &frame.module->globals_[name.slot];
      break;
    case Scope::kPredeclared:
      return thread_.runtime_.registry_->predeclared[name.slot];
    case Scope::kUnresolved:
      raise_unbound(frame, name);
  }
  if (found->is_unbound()) raise_unbound(frame, name);
  return *found;
}

void Interpreter::raise_unbound(Frame& frame, const NameExpr& name) {
  frame.at(name);
  const bool global = name.scope == Scope::kGlobal;
  raise(code::kName, fmt::format("{} variable {} referenced before assignment",
                                 global ? "global" : "local", name.name.text()));
}

Value Interpreter::eval_list(Frame& frame, const ListExpr& list) {
  std::vector<Value> items;
  items.reserve(list.items.size());
  for (const ExprPtr& item : list.items) items.push_back(eval(frame, *item));
  frame.at(list);
  return list.kind == ExprKind::kList ? Value::list(std::move(items))
                                      : Value::tuple(std::move(items));
}

Value Interpreter::eval_dict(Frame& frame, const DictExpr& expr) {
  const Ref<Dict> dict = make<Dict>();
  for (const DictEntry& entry : expr.entries) {
    const Value key = eval(frame, *entry.key);
    Value value = eval(frame, *entry.value);
    frame.at(*entry.key);
    const std::size_t before = dict->size();
    dict->mutable_table().set(key, std::move(value));
    if (dict->size() == before) {
      raise(code::kValue, fmt::format("duplicate key: {}", key.repr()));
    }
  }
  return Value::object(dict);
}

Value Interpreter::eval_unary(Frame& frame, const UnaryExpr& unary) {
  const Value operand = eval(frame, *unary.operand);
  if (unary.op == UnaryOp::kNot) return Value::boolean(!operand.truth());
  frame.at(unary);
  return unary_op(unary.op, operand);
}

Value Interpreter::eval_binary(Frame& frame, const BinaryExpr& binary) {
  const Value left = eval(frame, *binary.left);
  const Value right = eval(frame, *binary.right);
  if (left.is_small_int() && right.is_small_int()) {
    if (binary.op == BinaryOp::kAdd) return Value::integer(left.small_int() + right.small_int());
    if (binary.op == BinaryOp::kSubtract) {
      return Value::integer(left.small_int() - right.small_int());
    }
    frame.at(binary);
    if (binary.op != BinaryOp::kDivide) return int_binary(binary.op, left, right);
  }
  frame.at(binary);
  return binary_op(binary.op, left, right);
}

namespace {

bool compare_small(CompareOp op, std::int64_t a, std::int64_t b, bool& out) {
  switch (op) {
    case CompareOp::kEqual:
      out = a == b;
      return true;
    case CompareOp::kNotEqual:
      out = a != b;
      return true;
    case CompareOp::kLess:
      out = a < b;
      return true;
    case CompareOp::kGreater:
      out = a > b;
      return true;
    case CompareOp::kLessEqual:
      out = a <= b;
      return true;
    case CompareOp::kGreaterEqual:
      out = a >= b;
      return true;
    default:
      return false;
  }
}

}  // namespace

Value Interpreter::eval_compare(Frame& frame, const CompareExpr& compare) {
  const Value left = eval(frame, *compare.left);
  const Value right = eval(frame, *compare.right);
  bool answer = false;
  if (left.is_small_int() && right.is_small_int() &&
      compare_small(compare.op, left.small_int(), right.small_int(), answer)) {
    return Value::boolean(answer);
  }
  frame.at(compare);
  return Value::boolean(compare_values(compare.op, left, right));
}

Value Interpreter::eval_attribute(Frame& frame, const AttributeExpr& attribute) {
  const Value object = eval(frame, *attribute.object);
  frame.at(attribute.name_lo, attribute.hi);
  return require_attribute(object, attribute.name);
}

Value item_of(const Value& object, const Value& key) {
  if (object.kind() == Kind::kString || object.kind() == Kind::kBytes) {
    const std::string_view text = string_of(object).text();
    const std::size_t at = element_index(object.type_name(), key, text.size());
    const std::string_view one = text.substr(at, 1);
    return object.kind() == Kind::kString ? Value::string(one) : Value::bytes(one);
  }
  if (Object* target = object.as_object()) {
    if (std::optional<Value> out = target->item(key)) return std::move(*out);
  }
  raise(code::kType,
        fmt::format("unhandled index operation {}[{}]", object.type_name(), key.type_name()));
}

void assign_item(const Value& object, const Value& key, Value value) {
  if (Object* target = object.as_object()) return target->set_item(key, std::move(value));
  raise(code::kType, fmt::format("{} value does not support item assignment", object.type_name()));
}

Value Interpreter::eval_index(Frame& frame, const IndexExpr& index) {
  const Value object = eval(frame, *index.object);
  const Value key = eval(frame, *index.index);
  frame.at(index);
  return item_of(object, key);
}

Value Interpreter::eval_slice(Frame& frame, const SliceExpr& slice) {
  const Value object = eval(frame, *slice.object);
  const auto part = [&](const ExprPtr& expr) { return expr ? eval(frame, *expr) : Value(); };
  const Value start = part(slice.start);
  const Value stop = part(slice.stop);
  const Value step = part(slice.step);
  frame.at(slice);
  return slice_value(object, start, stop, step);
}

Value Interpreter::eval_comprehension(Frame& frame, const ComprehensionExpr& expr) {
  for (const std::uint32_t slot : expr.own_slots) {
    const bool in_cell = frame.locals[slot].kind() == Kind::kCell;
    frame.locals[slot] = in_cell ? Value::of(new Cell) : Value::unbound();
  }
  if (expr.key != nullptr) {
    const Ref<Dict> dict = make<Dict>();
    run_clauses(frame, expr, 0, *dict);
    return Value::object(dict);
  }
  const Ref<List> list = make<List>(std::vector<Value>());
  run_clauses(frame, expr, 0, *list);
  return Value::object(list);
}

void Interpreter::run_clauses(Frame& frame, const ComprehensionExpr& expr, std::size_t clause,
                              Object& out) {
  if (clause == expr.clauses.size()) return emit(frame, expr, out);
  const ComprehensionClause& here = expr.clauses[clause];
  const Value operand = eval(frame, *here.operand);
  if (here.target == nullptr) {
    if (operand.truth()) run_clauses(frame, expr, clause + 1, out);
    return;
  }
  frame.at(*here.operand);
  Iteration iteration(operand);
  for (Value item; iteration.next(item);) {
    tick();
    assign(frame, *here.target, std::move(item));
    run_clauses(frame, expr, clause + 1, out);
  }
}

void Interpreter::emit(Frame& frame, const ComprehensionExpr& expr, Object& out) {
  if (expr.key == nullptr) {
    static_cast<List&>(out).append(eval(frame, *expr.body));
    return;
  }
  const Value key = eval(frame, *expr.key);
  Value value = eval(frame, *expr.body);
  frame.at(*expr.key);
  static_cast<Dict&>(out).mutable_table().set(key, std::move(value));
}

Value Interpreter::make_function(Frame& frame, const FunctionSyntax& syntax) {
  Ref<Function> function = make<Function>(Ref<Module>(frame.module), syntax);
  for (const Parameter& parameter : syntax.parameters) {
    if (parameter.default_value != nullptr) {
      function->defaults_.push_back(eval(frame, *parameter.default_value));
    }
  }
  for (const FunctionSyntax::Capture& capture : syntax.captures) {
    function->captured_.push_back(capture.from_cell ? frame.locals[capture.index]
                                                    : frame.captured[capture.index]);
  }
  return Value::object(function);
}

}  // namespace misrule::star
