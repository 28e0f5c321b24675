// Walking syntax trees.

#include "spec/starlark/syntax/visitor.h"

namespace misrule::star {

void SyntaxVisitor::visit_block(const Block& block) {
  for (const StmtPtr& stmt : block) visit_stmt(*stmt);
}

void SyntaxVisitor::visit(const Expr* expr) {
  if (expr == nullptr) return;
  switch (expr->kind) {
    case ExprKind::kCall:
      return visit_call(as<CallExpr>(*expr));
    case ExprKind::kLambda:
      return visit_lambda(as<LambdaExpr>(*expr));
    default:
      return visit_other(*expr);
  }
}

void SyntaxVisitor::visit_stmt(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::kExpr:
      return visit(as<ExprStmt>(stmt).value.get());
    case StmtKind::kAssign:
    case StmtKind::kAugmented:
      visit(as<AssignStmt>(stmt).target.get());
      return visit(as<AssignStmt>(stmt).value.get());
    case StmtKind::kDef:
      return visit_def(as<DefStmt>(stmt));
    case StmtKind::kIf:
      for (const IfStmt::Branch& branch : as<IfStmt>(stmt).branches) {
        visit(branch.condition.get());
        visit_block(branch.body);
      }
      return visit_block(as<IfStmt>(stmt).otherwise);
    case StmtKind::kFor:
      visit(as<ForStmt>(stmt).target.get());
      visit(as<ForStmt>(stmt).iterable.get());
      return visit_block(as<ForStmt>(stmt).body);
    case StmtKind::kWhile:
      visit(as<WhileStmt>(stmt).condition.get());
      return visit_block(as<WhileStmt>(stmt).body);
    case StmtKind::kReturn:
      return visit(as<ReturnStmt>(stmt).value.get());
    default:
      return;
  }
}

void SyntaxVisitor::visit_call(const CallExpr& call) {
  visit(call.callee.get());
  for (const Argument& argument : call.arguments) visit(argument.value.get());
}

void SyntaxVisitor::visit_lambda(const LambdaExpr& lambda) { visit_function(lambda.function); }

void SyntaxVisitor::visit_def(const DefStmt& def) { visit_function(def.function); }

void SyntaxVisitor::visit_function(const FunctionSyntax& function) {
  for (const Parameter& parameter : function.parameters) visit(parameter.default_value.get());
  visit_block(function.body);
  visit(function.value.get());
}

void SyntaxVisitor::visit_other(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kList:
    case ExprKind::kTuple:
      for (const ExprPtr& item : as<ListExpr>(expr).items) visit(item.get());
      return;
    case ExprKind::kDict:
      for (const DictEntry& entry : as<DictExpr>(expr).entries) {
        visit(entry.key.get());
        visit(entry.value.get());
      }
      return;
    case ExprKind::kComprehension:
      for (const ComprehensionClause& clause : as<ComprehensionExpr>(expr).clauses) {
        visit(clause.target.get());
        visit(clause.operand.get());
      }
      visit(as<ComprehensionExpr>(expr).key.get());
      return visit(as<ComprehensionExpr>(expr).body.get());
    case ExprKind::kUnary:
      return visit(as<UnaryExpr>(expr).operand.get());
    case ExprKind::kBinary:
      visit(as<BinaryExpr>(expr).left.get());
      return visit(as<BinaryExpr>(expr).right.get());
    case ExprKind::kCompare:
      visit(as<CompareExpr>(expr).left.get());
      return visit(as<CompareExpr>(expr).right.get());
    case ExprKind::kLogical:
      visit(as<LogicalExpr>(expr).left.get());
      return visit(as<LogicalExpr>(expr).right.get());
    case ExprKind::kConditional:
      visit(as<ConditionalExpr>(expr).then_value.get());
      visit(as<ConditionalExpr>(expr).condition.get());
      return visit(as<ConditionalExpr>(expr).else_value.get());
    case ExprKind::kAttribute:
      return visit(as<AttributeExpr>(expr).object.get());
    case ExprKind::kIndex:
      visit(as<IndexExpr>(expr).object.get());
      return visit(as<IndexExpr>(expr).index.get());
    case ExprKind::kSlice: {
      const auto& slice = as<SliceExpr>(expr);
      for (const Expr* part :
           {slice.object.get(), slice.start.get(), slice.stop.get(), slice.step.get()}) {
        visit(part);
      }
      return;
    }
    default:
      return;
  }
}

std::string dotted_name(const Expr& expr) {
  if (expr.kind == ExprKind::kName) return std::string(as<NameExpr>(expr).name.text());
  if (expr.kind != ExprKind::kAttribute) return {};
  const auto& attribute = as<AttributeExpr>(expr);
  std::string object = dotted_name(*attribute.object);
  return object.empty() ? object : object + "." + std::string(attribute.name.text());
}

const Value* literal_of(const Expr& expr) {
  return expr.kind == ExprKind::kLiteral ? &as<LiteralExpr>(expr).value : nullptr;
}

}  // namespace misrule::star
