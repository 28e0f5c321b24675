// Expressions.

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "spec/starlark/eval/compare.h"
#include "spec/starlark/syntax/parser.h"

namespace misrule::star {

void Parser::grow(Expr& parent, const Expr* child) {
  if (child == nullptr || child->height < parent.height) return;
  parent.height = static_cast<std::uint16_t>(child->height + 1);
  if (parent.height <= limits_.height_max) return;
  Diagnostic problem;
  problem.code = code::kLimit;
  problem.message = "expression nested too deeply";
  problem.at = problems_.span(parent.lo, parent.lo + 1);
  problems_.add(std::move(problem));
  throw SyntaxAbort{};
}

ExprPtr Parser::expressions(bool in_brackets) {
  ExprPtr first = test();
  if (tok_.kind != Tok::kComma) return first;
  return tuple_rest(std::move(first), in_brackets);
}

ExprPtr Parser::tuple_rest(ExprPtr first, bool in_brackets) {
  auto tuple = std::make_unique<ListExpr>(ExprKind::kTuple, first->lo, first->hi);
  grow(*tuple, first.get());
  tuple->items.push_back(std::move(first));
  while (tok_.kind == Tok::kComma) {
    const Token comma = tok_;
    advance();
    const bool ends = tok_.kind == Tok::kRparen || tok_.kind == Tok::kRbracket ||
                      tok_.kind == Tok::kNewline || tok_.kind == Tok::kAssign ||
                      tok_.kind == Tok::kEof || tok_.kind == Tok::kSemi;
    if (ends && !in_brackets) {
      problems_.abort(comma.lo, comma.hi, "unparenthesized tuple with trailing comma",
                      "put the tuple into ( )");
    }
    if (ends) break;
    tuple->items.push_back(test());
    grow(*tuple, tuple->items.back().get());
  }
  tuple->hi = previous_.hi;
  return tuple;
}

ExprPtr Parser::test() {
  const Nesting nesting(*this);
  if (tok_.kind == Tok::kLambda) return lambda(true);
  ExprPtr value = logical(true);
  if (tok_.kind != Tok::kIf) return value;
  advance();
  auto node = std::make_unique<ConditionalExpr>(ExprKind::kConditional, value->lo, value->hi);
  node->then_value = std::move(value);
  node->condition = logical(true);
  if (tok_.kind != Tok::kElse) {
    problems_.abort(tok_.lo, tok_.hi, "conditional expression without else clause");
  }
  advance();
  node->else_value = test();
  node->hi = node->else_value->hi;
  grow(*node, node->then_value.get());
  grow(*node, node->condition.get());
  grow(*node, node->else_value.get());
  return node;
}

ExprPtr Parser::test_without_conditional() {
  const Nesting nesting(*this);
  return tok_.kind == Tok::kLambda ? lambda(false) : logical(true);
}

ExprPtr Parser::lambda(bool with_conditional) {
  auto node = std::make_unique<LambdaExpr>(tok_.lo, tok_.hi);
  FunctionSyntax& function = node->function;
  function.name = "lambda";
  function.is_lambda = true;
  function.lo = function.name_lo = tok_.lo;
  function.name_hi = tok_.hi;
  advance();
  function.parameters = parameters(Tok::kColon);
  expect(Tok::kColon);
  function.value = with_conditional ? test() : test_without_conditional();
  function.hi = node->hi = function.value->hi;
  grow(*node, function.value.get());
  return node;
}

ExprPtr Parser::logical(bool is_or) {
  const Tok op = is_or ? Tok::kOr : Tok::kAnd;
  ExprPtr left = is_or ? logical(false) : negation();
  while (tok_.kind == op) {
    advance();
    auto node = std::make_unique<LogicalExpr>(ExprKind::kLogical, left->lo, left->hi);
    node->is_and = !is_or;
    node->left = std::move(left);
    node->right = is_or ? logical(false) : negation();
    node->hi = node->right->hi;
    grow(*node, node->left.get());
    grow(*node, node->right.get());
    left = std::move(node);
  }
  return left;
}

ExprPtr Parser::negation() {
  if (tok_.kind != Tok::kNot) return comparison();
  const Nesting nesting(*this);
  auto node = std::make_unique<UnaryExpr>(ExprKind::kUnary, tok_.lo, tok_.hi);
  advance();
  node->op = UnaryOp::kNot;
  node->operand = negation();
  node->hi = node->operand->hi;
  grow(*node, node->operand.get());
  return node;
}

// Consumes "not in", "is" and "is not" as well as the one-token operators.
bool Parser::comparison_operator(CompareOp& op) {
  switch (tok_.kind) {
    case Tok::kEqual:
      op = CompareOp::kEqual;
      break;
    case Tok::kNotEqual:
      op = CompareOp::kNotEqual;
      break;
    case Tok::kLess:
      op = CompareOp::kLess;
      break;
    case Tok::kGreater:
      op = CompareOp::kGreater;
      break;
    case Tok::kLessEqual:
      op = CompareOp::kLessEqual;
      break;
    case Tok::kGreaterEqual:
      op = CompareOp::kGreaterEqual;
      break;
    case Tok::kIn:
      op = CompareOp::kIn;
      break;
    case Tok::kNot:
      advance();
      if (tok_.kind != Tok::kIn) fail_got("in");
      op = CompareOp::kNotIn;
      break;
    case Tok::kReserved:
      if (text_of(tok_) != "is") return false;
      advance();
      op = CompareOp::kIs;
      if (tok_.kind != Tok::kNot) return true;
      op = CompareOp::kIsNot;
      break;
    default:
      return false;
  }
  advance();
  return true;
}

ExprPtr Parser::comparison() {
  ExprPtr left = binary(0);
  const Token op_token = tok_;
  CompareOp op = CompareOp::kEqual;
  if (!comparison_operator(op)) return left;
  auto node = std::make_unique<CompareExpr>(ExprKind::kCompare, left->lo, left->hi);
  node->op = op;
  node->op_lo = op_token.lo;
  node->left = std::move(left);
  node->right = binary(0);
  node->hi = node->right->hi;
  grow(*node, node->left.get());
  grow(*node, node->right.get());
  if (op == CompareOp::kIs || op == CompareOp::kIsNot) check_is(*node);
  const Token second = tok_;
  if (comparison_operator(op)) {
    problems_.abort(second.lo, second.hi,
                    fmt::format("{} does not associate with {} (use parens)", symbol_of(node->op),
                                symbol_of(op)),
                    "write `a < b and b < c`");
  }
  return node;
}

void Parser::check_is(const CompareExpr& compare) {
  const auto is_none = [](const Expr& expr) {
    return expr.kind == ExprKind::kName && as<NameExpr>(expr).name.text() == "None";
  };
  const bool negated = compare.op == CompareOp::kIsNot;
  const std::string_view word = negated ? "is not" : "is";
  const std::string_view instead = negated ? "!=" : "==";
  const std::uint32_t hi = compare.op_lo + static_cast<std::uint32_t>(word.size());
  if (!is_none(*compare.left) && !is_none(*compare.right)) {
    problems_.error(compare.op_lo, compare.op_lo + 2,
                    fmt::format("`{}` compares only with None", word),
                    fmt::format("write {}", instead));
    return;
  }
  Diagnostic lint;
  lint.severity = Severity::kNote;
  lint.code = code::kLint;
  lint.message = fmt::format("`{} None` is read as `{} None`", word, instead);
  lint.at = problems_.span(compare.op_lo, hi);
  problems_.add(std::move(lint));
}

namespace {

struct Operator {
  int precedence = -1;
  BinaryOp op = BinaryOp::kAdd;
};

Operator operator_of(Tok kind) {
  switch (kind) {
    case Tok::kPipe:
      return {0, BinaryOp::kBitOr};
    case Tok::kCaret:
      return {1, BinaryOp::kBitXor};
    case Tok::kAmp:
      return {2, BinaryOp::kBitAnd};
    case Tok::kLess2:
      return {3, BinaryOp::kShiftLeft};
    case Tok::kGreater2:
      return {3, BinaryOp::kShiftRight};
    case Tok::kPlus:
      return {4, BinaryOp::kAdd};
    case Tok::kMinus:
      return {4, BinaryOp::kSubtract};
    case Tok::kStar:
      return {5, BinaryOp::kMultiply};
    case Tok::kSlash:
      return {5, BinaryOp::kDivide};
    case Tok::kSlashSlash:
      return {5, BinaryOp::kFloorDivide};
    case Tok::kPercent:
      return {5, BinaryOp::kModulo};
    default:
      return {};
  }
}

}  // namespace

ExprPtr Parser::binary(int precedence) {
  ExprPtr left = unary();
  while (true) {
    const Operator next = operator_of(tok_.kind);
    if (next.precedence < precedence) return left;
    const std::uint32_t op_lo = tok_.lo;
    advance();
    left = make_binary(next.op, op_lo, std::move(left), binary(next.precedence + 1));
  }
}

ExprPtr Parser::make_binary(BinaryOp op, std::uint32_t op_lo, ExprPtr left, ExprPtr right) {
  constexpr std::size_t kFoldedMax = 4096;
  const bool literals = left->kind == ExprKind::kLiteral && right->kind == ExprKind::kLiteral;
  if (literals && op == BinaryOp::kAdd) {
    const auto a = as<LiteralExpr>(*left).value.as_string();
    const auto b = as<LiteralExpr>(*right).value.as_string();
    if (a && b && a->size() + b->size() <= kFoldedMax) {
      return std::make_unique<LiteralExpr>(left->lo, right->hi,
                                           Value::string(std::string(*a).append(*b)));
    }
  }
  auto node = std::make_unique<BinaryExpr>(ExprKind::kBinary, left->lo, right->hi);
  node->op = op;
  node->op_lo = op_lo;
  node->left = std::move(left);
  node->right = std::move(right);
  grow(*node, node->left.get());
  grow(*node, node->right.get());
  return node;
}

ExprPtr Parser::unary() {
  UnaryOp op = UnaryOp::kPlus;
  if (tok_.kind == Tok::kMinus) {
    op = UnaryOp::kMinus;
  } else if (tok_.kind == Tok::kTilde) {
    op = UnaryOp::kInvert;
  } else if (tok_.kind != Tok::kPlus) {
    return postfix();
  }
  const Nesting nesting(*this);
  auto node = std::make_unique<UnaryExpr>(ExprKind::kUnary, tok_.lo, tok_.hi);
  advance();
  node->op = op;
  node->operand = unary();
  node->hi = node->operand->hi;
  grow(*node, node->operand.get());
  return node;
}

ExprPtr Parser::postfix() {
  ExprPtr out = atom();
  while (true) {
    if (tok_.kind == Tok::kDot) {
      out = attribute(std::move(out));
    } else if (tok_.kind == Tok::kLparen) {
      out = call(std::move(out));
    } else if (tok_.kind == Tok::kLbracket) {
      out = subscript(std::move(out));
    } else {
      return out;
    }
  }
}

ExprPtr Parser::attribute(ExprPtr object) {
  advance();
  auto node = std::make_unique<AttributeExpr>(ExprKind::kAttribute, object->lo, tok_.hi);
  node->object = std::move(object);
  grow(*node, node->object.get());
  if (tok_.kind != Tok::kName) {
    const bool word =
        tok_.kind == Tok::kReserved || (tok_.kind >= Tok::kAnd && tok_.kind <= Tok::kWhile);
    problems_.abort(
        tok_.lo, tok_.hi, fmt::format("got {}, want identifier", shown(tok_)),
        word
            ? fmt::format("`{0}` is a word of the language; getattr(x, \"{0}\") reads a field that "
                          "is called so",
                          text_of(tok_))
            : std::string());
  }
  node->name_lo = tok_.lo;
  node->name = Symbol(text_of(tok_));
  advance();
  return node;
}

ExprPtr Parser::call(ExprPtr callee) {
  auto node = std::make_unique<CallExpr>(ExprKind::kCall, callee->lo, tok_.hi);
  node->paren = tok_.lo;
  node->callee = std::move(callee);
  grow(*node, node->callee.get());
  advance();
  while (tok_.kind != Tok::kRparen && tok_.kind != Tok::kEof) {
    node->arguments.push_back(argument());
    grow(*node, node->arguments.back().value.get());
    if (!accept(Tok::kComma)) break;
  }
  if (tok_.kind != Tok::kRparen) fail_got(tok_.kind == Tok::kEof ? "')'" : "',' or ')'");
  node->hi = tok_.hi;
  advance();
  return node;
}

Argument Parser::argument() {
  Argument out;
  out.lo = tok_.lo;
  if (accept(Tok::kStar)) {
    out.kind = ArgumentKind::kStar;
    out.value = test();
    return out;
  }
  if (accept(Tok::kStarStar)) {
    out.kind = ArgumentKind::kStarStar;
    out.value = test();
    return out;
  }
  out.value = test();
  if (tok_.kind != Tok::kAssign) return out;
  if (out.value->kind != ExprKind::kName || out.value->parenthesized) {
    problems_.abort(out.value->lo, out.value->hi, "keyword argument must have form name=expr");
  }
  out.kind = ArgumentKind::kKeyword;
  out.name = as<NameExpr>(*out.value).name;
  advance();
  out.value = test();
  return out;
}

ExprPtr Parser::subscript(ExprPtr object) {
  const std::uint32_t bracket = tok_.lo;
  advance();
  if (tok_.kind == Tok::kRbracket) fail_got("an index");
  if (tok_.kind == Tok::kColon) return slice(std::move(object), nullptr, bracket);
  ExprPtr first = expressions(true);
  if (tok_.kind == Tok::kColon) return slice(std::move(object), std::move(first), bracket);
  auto node = std::make_unique<IndexExpr>(ExprKind::kIndex, object->lo, tok_.hi);
  node->bracket = bracket;
  node->object = std::move(object);
  node->index = std::move(first);
  expect(Tok::kRbracket);
  grow(*node, node->object.get());
  grow(*node, node->index.get());
  return node;
}

ExprPtr Parser::slice(ExprPtr object, ExprPtr start, std::uint32_t bracket) {
  auto node = std::make_unique<SliceExpr>(ExprKind::kSlice, object->lo, tok_.hi);
  node->bracket = bracket;
  node->object = std::move(object);
  node->start = std::move(start);
  expect(Tok::kColon);
  if (tok_.kind != Tok::kColon && tok_.kind != Tok::kRbracket) node->stop = test();
  if (accept(Tok::kColon) && tok_.kind != Tok::kRbracket) node->step = test();
  node->hi = tok_.hi;
  expect(Tok::kRbracket);
  for (const Expr* child :
       {node->object.get(), node->start.get(), node->stop.get(), node->step.get()}) {
    grow(*node, child);
  }
  return node;
}

}  // namespace misrule::star
