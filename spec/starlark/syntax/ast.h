#pragma once

// The syntax tree of a file: what the parser builds, the resolver completes and the interpreter
// walks.
//
// Nodes are plain structs told apart by `kind`; offsets are bytes into the file. A host reads it
// with syntax/visitor.h. Expressions stand in syntax/expr.h.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "spec/starlark/diagnostic.h"
#include "spec/starlark/syntax/expr.h"

namespace misrule::star {

enum class StmtKind : std::uint8_t {
  kExpr,
  kAssign,
  kAugmented,
  kDef,
  kIf,
  kFor,
  kWhile,
  kReturn,
  kBreak,
  kContinue,
  kPass,
  kLoad,
};
struct Stmt {
  Stmt(StmtKind k, std::uint32_t from) : kind(k), lo(from) {}
  virtual ~Stmt() = default;
  const StmtKind kind;
  std::uint32_t lo;
  std::uint32_t hi = 0;
};

using StmtPtr = std::unique_ptr<Stmt>;
using Block = std::vector<StmtPtr>;

enum class ParameterKind : std::uint8_t { kPlain, kKeywordOnly, kVarargs, kKwargs };
struct Parameter {
  ParameterKind kind = ParameterKind::kPlain;
  Symbol name = {};
  ExprPtr default_value;
  std::uint32_t lo = 0;
  std::uint32_t slot = 0;
  bool in_cell = false;
};

/// What def and lambda share.
struct FunctionSyntax {
  std::string name;
  std::string doc;
  bool is_lambda = false;
  std::uint32_t lo = 0;  ///< The whole, from def or lambda.
  std::uint32_t hi = 0;
  std::uint32_t name_lo = 0;
  std::uint32_t name_hi = 0;
  std::vector<Parameter> parameters;  ///< Plain, keyword-only, *args, **kwargs in this order.
  Block body;                         ///< Of a def.
  ExprPtr value;                      ///< Of a lambda.
  // By the resolver:
  std::uint32_t plain_count = 0;
  std::uint32_t named_count = 0;     ///< Plain and keyword-only.
  std::uint32_t required_plain = 0;  ///< Leading plain ones without default.
  bool has_varargs = false;
  bool has_kwargs = false;
  std::uint32_t slot_count = 0;
  std::vector<std::uint32_t> cell_slots;  ///< Locals that live in cells.
  std::vector<Symbol> slot_names;
  struct Capture {
    bool from_cell = true;
    std::uint32_t index = 0;
    Symbol name = {};
  };
  std::vector<Capture>
      captures;  ///< Cells of the enclosing function (its local slot, or its capture).
};

struct LambdaExpr : Expr {
  LambdaExpr(std::uint32_t from, std::uint32_t to) : Expr(ExprKind::kLambda, from, to) {}
  FunctionSyntax function;
};

struct ExprStmt : Stmt {
  using Stmt::Stmt;
  ExprPtr value;
};
struct AssignStmt : Stmt {  ///< kAssign; kAugmented with op.
  using Stmt::Stmt;
  ExprPtr target;
  ExprPtr value;
  std::uint32_t op_lo = 0;
  BinaryOp op = BinaryOp::kAdd;
};
struct DefStmt : Stmt {
  using Stmt::Stmt;
  std::unique_ptr<NameExpr> name;
  FunctionSyntax function;
};
struct IfStmt : Stmt {
  using Stmt::Stmt;
  struct Branch {
    ExprPtr condition;
    Block body;
  };
  std::vector<Branch> branches;  ///< if and every elif.
  Block otherwise;
};
struct ForStmt : Stmt {
  using Stmt::Stmt;
  ExprPtr target;
  ExprPtr iterable;
  Block body;
};
struct WhileStmt : Stmt {
  using Stmt::Stmt;
  ExprPtr condition;
  Block body;
};
struct ReturnStmt : Stmt {
  using Stmt::Stmt;
  ExprPtr value;
};
struct LoadStmt : Stmt {
  using Stmt::Stmt;
  struct Binding {
    std::string original;
    std::unique_ptr<NameExpr> local;
    std::uint32_t lo = 0;
    std::uint32_t hi = 0;
  };
  std::string path;
  std::uint32_t path_lo = 0;
  std::uint32_t path_hi = 0;
  std::vector<Binding> bindings;
};

struct FileSyntax {
  const SourceFile* file = nullptr;
  std::string doc;
  Block body;
  FunctionSyntax
      toplevel;  ///< The resolver's: slots of comprehensions at the top level and of loaded names.
  std::vector<Symbol> global_names;
  std::vector<bool> global_exported;     ///< False for what load() bound.
  std::vector<std::uint32_t> global_lo;  ///< Where each is bound (last).
};

template <class T>
const T& as(const Expr& expr) {
  return static_cast<const T&>(expr);
}
template <class T>
const T& as(const Stmt& stmt) {
  return static_cast<const T&>(stmt);
}

}  // namespace misrule::star
