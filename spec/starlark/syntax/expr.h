#pragma once

// Expressions of the syntax tree, all but lambda. See syntax/ast.h.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spec/starlark/diagnostic.h"
#include "spec/starlark/object.h"
#include "spec/starlark/value.h"

namespace misrule::star {

enum class ExprKind : std::uint8_t {
  kLiteral,
  kName,
  kList,
  kTuple,
  kDict,
  kComprehension,
  kUnary,
  kBinary,
  kCompare,
  kLogical,
  kConditional,
  kCall,
  kAttribute,
  kIndex,
  kSlice,
  kLambda,
  kInvalid,
};

struct Expr {
  Expr(ExprKind k, std::uint32_t from, std::uint32_t to) : kind(k), lo(from), hi(to) {}
  virtual ~Expr() = default;
  const ExprKind kind;
  bool parenthesized = false;
  std::uint16_t height = 1;  ///< Of the tree below; bounded, so that recursion is.
  std::uint32_t lo;
  std::uint32_t hi;
};
using ExprPtr = std::unique_ptr<Expr>;

/// How a name is found at run time.
enum class Scope : std::uint8_t { kUnresolved, kLocal, kCell, kFree, kGlobal, kFile, kPredeclared };

struct LiteralExpr : Expr {
  LiteralExpr(std::uint32_t from, std::uint32_t to, Value v)
      : Expr(ExprKind::kLiteral, from, to), value(std::move(v)) {}
  Value value;
};

struct NameExpr : Expr {
  NameExpr(std::uint32_t from, std::uint32_t to, Symbol n)
      : Expr(ExprKind::kName, from, to), name(n) {}
  Symbol name;
  Scope scope = Scope::kUnresolved;
  std::uint32_t slot = 0;  ///< Index of its kind: local, captured, global, predeclared.
};

struct ListExpr : Expr {  ///< kList or kTuple.
  using Expr::Expr;
  std::vector<ExprPtr> items;
};

struct DictEntry {
  ExprPtr key;
  ExprPtr value;
  std::uint32_t colon = 0;
};
struct DictExpr : Expr {
  DictExpr(std::uint32_t from, std::uint32_t to) : Expr(ExprKind::kDict, from, to) {}
  std::vector<DictEntry> entries;
};

struct ComprehensionClause {
  ExprPtr target;   ///< Of a for; null for an if.
  ExprPtr operand;  ///< Iterated, or the condition.
  std::uint32_t lo = 0;
};
struct ComprehensionExpr : Expr {
  ComprehensionExpr(std::uint32_t from, std::uint32_t to)
      : Expr(ExprKind::kComprehension, from, to) {}
  ExprPtr key;  ///< Only of a dict.
  ExprPtr body;
  std::uint32_t colon = 0;
  std::vector<ComprehensionClause> clauses;
  std::vector<std::uint32_t> own_slots;  ///< Locals that are unbound at the start.
};

enum class UnaryOp : std::uint8_t { kPlus, kMinus, kInvert, kNot };
struct UnaryExpr : Expr {
  using Expr::Expr;
  UnaryOp op = UnaryOp::kNot;
  ExprPtr operand;
};

struct BinaryExpr : Expr {
  using Expr::Expr;
  BinaryOp op = BinaryOp::kAdd;
  std::uint32_t op_lo = 0;
  ExprPtr left;
  ExprPtr right;
};

enum class CompareOp : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kGreater,
  kLessEqual,
  kGreaterEqual,
  kIn,
  kNotIn,
  kIs,
  kIsNot,
};
struct CompareExpr : Expr {
  using Expr::Expr;
  CompareOp op = CompareOp::kEqual;
  std::uint32_t op_lo = 0;
  ExprPtr left;
  ExprPtr right;
};

struct LogicalExpr : Expr {
  using Expr::Expr;
  bool is_and = true;
  ExprPtr left;
  ExprPtr right;
};

struct ConditionalExpr : Expr {
  using Expr::Expr;
  ExprPtr condition;
  ExprPtr then_value;
  ExprPtr else_value;
};

enum class ArgumentKind : std::uint8_t { kPositional, kKeyword, kStar, kStarStar };
struct Argument {
  ArgumentKind kind = ArgumentKind::kPositional;
  Symbol name = {};  ///< Of a keyword.
  ExprPtr value;
  std::uint32_t lo = 0;  ///< Of the whole argument, name or stars included; hi is the value's.
};
struct CallExpr : Expr {
  using Expr::Expr;
  ExprPtr callee;
  std::uint32_t paren = 0;
  std::vector<Argument> arguments;
  std::uint32_t positional_count = 0;  ///< Plain ones; they come first.
  std::uint32_t keyword_count = 0;     ///< They follow.
};

struct AttributeExpr : Expr {
  using Expr::Expr;
  ExprPtr object;
  Symbol name;
  std::uint32_t name_lo = 0;
};

struct IndexExpr : Expr {
  using Expr::Expr;
  ExprPtr object;
  ExprPtr index;
  std::uint32_t bracket = 0;
};

struct SliceExpr : Expr {
  using Expr::Expr;
  ExprPtr object;
  ExprPtr start;  ///< Null where omitted; so are stop and step.
  ExprPtr stop;
  ExprPtr step;
  std::uint32_t bracket = 0;
};

}  // namespace misrule::star
