#pragma once

// Walks a syntax tree, in the order of the text.

#include "spec/starlark/syntax/ast.h"

namespace misrule::star {

/// Override what is of interest and call the inherited one to go deeper.
class SyntaxVisitor {
 public:
  virtual ~SyntaxVisitor() = default;
  void visit_file(const FileSyntax& file) { visit_block(file.body); }
  void visit_block(const Block& block);
  /// Dispatches to the ones below; null is nothing.
  void visit(const Expr* expr);
  virtual void visit_stmt(const Stmt& stmt);

  virtual void visit_call(const CallExpr& call);
  virtual void visit_lambda(const LambdaExpr& lambda);
  virtual void visit_def(const DefStmt& def);
  virtual void visit_other(const Expr& expr);  ///< Every other expression.

 protected:
  void visit_function(const FunctionSyntax& function);
};

/// A name, attribute chain or nothing: "db.main.query" of a callee, "" if it is something else.
std::string dotted_name(const Expr& expr);
/// The value of a literal expression, or null. True, False and None are names.
const Value* literal_of(const Expr& expr);

}  // namespace misrule::star
