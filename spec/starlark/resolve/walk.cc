// Statements and expressions of a file: where they may stand, and the names in them.

#include <algorithm>
#include <set>

#include "fmt/format.h"
#include "spec/starlark/resolve/resolver.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {
namespace {

template <class T>
T& to(Stmt& stmt) {
  return static_cast<T&>(stmt);
}
template <class T>
T& to(Expr& expr) {
  return static_cast<T&>(expr);
}

std::string_view node_name(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral:
      return "literal";
    case ExprKind::kDict:
      return "dictexpr";
    case ExprKind::kComprehension:
      return "comprehension";
    case ExprKind::kUnary:
      return "unaryexpr";
    case ExprKind::kBinary:
    case ExprKind::kCompare:
    case ExprKind::kLogical:
      return "binaryexpr";
    case ExprKind::kConditional:
      return "condexpr";
    case ExprKind::kCall:
      return "callexpr";
    case ExprKind::kSlice:
      return "sliceexpr";
    case ExprKind::kLambda:
      return "lambdaexpr";
    default:
      return "expression";
  }
}

}  // namespace

void Resolver::block(Block& block) {
  for (const StmtPtr& stmt : block) statement(*stmt);
}

void Resolver::statement(Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::kExpr:
      return expression(to<ExprStmt>(stmt).value.get());
    case StmtKind::kAssign:
    case StmtKind::kAugmented:
      expression(to<AssignStmt>(stmt).value.get());
      return target(*to<AssignStmt>(stmt).target, stmt.kind == StmtKind::kAugmented);
    case StmtKind::kDef:
      use(*to<DefStmt>(stmt).name);
      return function(to<DefStmt>(stmt).function);
    case StmtKind::kIf:
      return conditional(to<IfStmt>(stmt));
    case StmtKind::kFor:
    case StmtKind::kWhile:
      return loop(stmt);
    case StmtKind::kReturn:
      if (at_top_level()) {
        error(stmt.lo, stmt.lo + 6, code::kSyntax, "return statement not within a function");
      }
      return expression(to<ReturnStmt>(stmt).value.get());
    case StmtKind::kBreak:
    case StmtKind::kContinue:
      if (scope_->loops == 0) {
        error(stmt.lo, stmt.hi, code::kSyntax,
              stmt.kind == StmtKind::kBreak ? "break not in a loop" : "continue not in a loop");
      }
      return;
    case StmtKind::kLoad:
      return load(to<LoadStmt>(stmt));
    case StmtKind::kPass:
      return;
  }
}

void Resolver::conditional(IfStmt& stmt) {
  if (at_top_level() && !dialect_.top_level_control) {
    error(stmt.lo, stmt.lo + 2, code::kSyntax, "if statement not within a function");
  }
  ++scope_->conditionals;
  for (IfStmt::Branch& branch : stmt.branches) {
    expression(branch.condition.get());
    block(branch.body);
  }
  block(stmt.otherwise);
  --scope_->conditionals;
}

void Resolver::loop(Stmt& stmt) {
  const bool is_for = stmt.kind == StmtKind::kFor;
  if (!is_for && !dialect_.while_loops) {
    error(stmt.lo, stmt.lo + 5, code::kSyntax,
          "this Starlark dialect does not support while loops");
  }
  if (at_top_level() && !dialect_.top_level_control) {
    error(stmt.lo, stmt.lo + (is_for ? 3 : 5), code::kSyntax,
          is_for ? "for loop not within a function" : "while loop not within a function");
  }
  expression(is_for ? to<ForStmt>(stmt).iterable.get() : to<WhileStmt>(stmt).condition.get());
  if (is_for) target(*to<ForStmt>(stmt).target, false);
  ++scope_->loops;
  block(is_for ? to<ForStmt>(stmt).body : to<WhileStmt>(stmt).body);
  --scope_->loops;
}

void Resolver::load(LoadStmt& stmt) {
  std::string_view inside;
  if (scope_->loops > 0) inside = "a loop";
  if (scope_->conditionals > 0) inside = "a conditional";
  if (!at_top_level()) inside = "a function";
  if (!inside.empty()) {
    error(stmt.lo, stmt.lo + 4, code::kSyntax, fmt::format("load statement within {}", inside));
    return;
  }
  for (LoadStmt::Binding& binding : stmt.bindings) {
    if (binding.original.empty()) {
      error(binding.lo, binding.hi, code::kSyntax, "load: empty identifier");
    } else if (binding.original.front() == '_') {
      error(binding.lo, binding.hi, code::kSyntax,
            fmt::format("load: names with leading underscores are not exported: {}",
                        binding.original));
    }
    use(*binding.local);
  }
}

void Resolver::target(Expr& target_expr, bool augmented) {
  switch (target_expr.kind) {
    case ExprKind::kName:
      return use(to<NameExpr>(target_expr));
    case ExprKind::kIndex:
    case ExprKind::kAttribute:
      return composite(target_expr);
    case ExprKind::kTuple:
    case ExprKind::kList:
      if (augmented) {
        error(target_expr.lo, target_expr.hi, code::kSyntax,
              fmt::format("can't use {} expression in augmented assignment",
                          target_expr.kind == ExprKind::kTuple ? "tuple" : "list"));
        return;
      }
      for (const ExprPtr& item : to<ListExpr>(target_expr).items) target(*item, false);
      return;
    default:
      error(target_expr.lo, target_expr.hi, code::kSyntax,
            fmt::format("can't assign to {}", node_name(target_expr)));
      return expression(&target_expr);
  }
}

void Resolver::expression(Expr* expr) {
  if (expr == nullptr) return;
  switch (expr->kind) {
    case ExprKind::kLiteral:
    case ExprKind::kInvalid:
      return;
    case ExprKind::kName:
      return use(to<NameExpr>(*expr));
    case ExprKind::kCall:
      return call(to<CallExpr>(*expr));
    case ExprKind::kLambda:
      return function(to<LambdaExpr>(*expr).function);
    case ExprKind::kComprehension:
      return comprehension(to<ComprehensionExpr>(*expr));
    default:
      return composite(*expr);
  }
}

void Resolver::composite(Expr& expr) {
  const auto both = [this](auto& node) {
    expression(node.left.get());
    expression(node.right.get());
  };
  switch (expr.kind) {
    case ExprKind::kList:
    case ExprKind::kTuple:
      for (const ExprPtr& item : to<ListExpr>(expr).items) expression(item.get());
      return;
    case ExprKind::kDict:
      for (DictEntry& entry : to<DictExpr>(expr).entries) {
        expression(entry.key.get());
        expression(entry.value.get());
      }
      return;
    case ExprKind::kUnary:
      return expression(to<UnaryExpr>(expr).operand.get());
    case ExprKind::kBinary:
      return both(to<BinaryExpr>(expr));
    case ExprKind::kCompare:
      return both(to<CompareExpr>(expr));
    case ExprKind::kLogical:
      return both(to<LogicalExpr>(expr));
    case ExprKind::kConditional:
      expression(to<ConditionalExpr>(expr).condition.get());
      expression(to<ConditionalExpr>(expr).then_value.get());
      return expression(to<ConditionalExpr>(expr).else_value.get());
    case ExprKind::kAttribute:
      return expression(to<AttributeExpr>(expr).object.get());
    case ExprKind::kIndex:
      expression(to<IndexExpr>(expr).object.get());
      return expression(to<IndexExpr>(expr).index.get());
    case ExprKind::kSlice: {
      auto& slice = to<SliceExpr>(expr);
      for (Expr* part :
           {slice.object.get(), slice.start.get(), slice.stop.get(), slice.step.get()}) {
        expression(part);
      }
      return;
    }
    default:
      return;
  }
}

// The first operand is evaluated outside of the comprehension's own block, everything else inside.
void Resolver::comprehension(ComprehensionExpr& expr) {
  expression(expr.clauses.front().operand.get());
  scope_->blocks.emplace_back();
  const std::size_t before = scope_->locals.size();
  for (ComprehensionClause& clause : expr.clauses) {
    if (clause.target != nullptr) collect_local_targets(*clause.target, *scope_);
  }
  for (std::size_t slot = before; slot < scope_->locals.size(); ++slot) {
    expr.own_slots.push_back(static_cast<std::uint32_t>(slot));
  }
  for (ComprehensionClause& clause : expr.clauses) {
    if (&clause != &expr.clauses.front()) expression(clause.operand.get());
    if (clause.target != nullptr) target(*clause.target, false);
  }
  expression(expr.key.get());
  expression(expr.body.get());
  scope_->blocks.pop_back();
}

void Resolver::call(CallExpr& call) {
  expression(call.callee.get());
  for (Argument& argument : call.arguments) {
    expression(argument.value.get());
    if (argument.kind == ArgumentKind::kPositional) ++call.positional_count;
    if (argument.kind == ArgumentKind::kKeyword) ++call.keyword_count;
  }
  check_arguments(call);
}

void Resolver::check_arguments(const CallExpr& call) {
  bool star = false;
  bool kwargs = false;
  std::set<std::string_view> names;
  for (const Argument& argument : call.arguments) {
    const auto complain = [&](std::string message) {
      error(argument.lo, argument.value->hi, code::kSyntax, std::move(message));
    };
    const bool keyword = argument.kind == ArgumentKind::kKeyword;
    const std::string_view what = keyword ? "keyword" : "positional";
    switch (argument.kind) {
      case ArgumentKind::kPositional:
      case ArgumentKind::kKeyword:
        if (kwargs) {
          complain(fmt::format("{} argument may not follow **kwargs", what));
        } else if (star) {
          complain(fmt::format("{} argument may not follow *args", what));
        } else if (!keyword && !names.empty()) {
          complain("positional argument may not follow named");
        }
        if (keyword && !names.insert(argument.name.text()).second) {
          complain(fmt::format("keyword argument \"{}\" is repeated", argument.name.text()));
        }
        break;
      case ArgumentKind::kStar:
        if (kwargs) complain("*args may not follow **kwargs");
        if (star) complain("multiple *args not allowed");
        star = true;
        break;
      case ArgumentKind::kStarStar:
        if (kwargs) complain("multiple **kwargs not allowed");
        kwargs = true;
        break;
    }
  }
}

}  // namespace misrule::star
