// Names, literals, displays and comprehensions.

#include <utility>

#include "fmt/format.h"
#include "spec/starlark/syntax/parser.h"

namespace misrule::star {

std::unique_ptr<NameExpr> Parser::name() {
  const bool word =
      tok_.kind == Tok::kReserved || (tok_.kind >= Tok::kAnd && tok_.kind <= Tok::kWhile);
  if (word) {
    problems_.abort(tok_.lo, tok_.hi,
                    fmt::format("got {}, a word of the language, not an identifier", shown(tok_)));
  }
  if (tok_.kind != Tok::kName) fail_got("identifier");
  auto node = std::make_unique<NameExpr>(tok_.lo, tok_.hi, Symbol(text_of(tok_)));
  advance();
  return node;
}

ExprPtr Parser::atom() {
  switch (tok_.kind) {
    case Tok::kName:
      return name();
    case Tok::kInt:
    case Tok::kFloat:
    case Tok::kString:
    case Tok::kBytes:
      return literal();
    case Tok::kLparen:
      return parenthesized();
    case Tok::kLbracket:
      return list();
    case Tok::kLbrace:
      return dict();
    default:
      fail_got("primary expression");
  }
}

ExprPtr Parser::literal() {
  auto node = std::make_unique<LiteralExpr>(tok_.lo, tok_.hi, std::move(tok_.value));
  advance();
  if (tok_.kind == Tok::kString && previous_.kind == Tok::kString) fail_got("newline");
  return node;
}

ExprPtr Parser::parenthesized() {
  const std::uint32_t lo = tok_.lo;
  advance();
  if (tok_.kind == Tok::kRparen) {
    auto empty = std::make_unique<ListExpr>(ExprKind::kTuple, lo, tok_.hi);
    empty->parenthesized = true;
    advance();
    return empty;
  }
  ExprPtr inner = expressions(true);
  inner->parenthesized = true;
  if (tok_.kind != Tok::kRparen) fail_got("')'");
  if (inner->kind == ExprKind::kTuple) {
    inner->lo = lo;
    inner->hi = tok_.hi;
  }
  advance();
  return inner;
}

ExprPtr Parser::list() {
  const std::uint32_t lo = tok_.lo;
  advance();
  auto node = std::make_unique<ListExpr>(ExprKind::kList, lo, tok_.hi);
  while (tok_.kind != Tok::kRbracket && tok_.kind != Tok::kEof) {
    ExprPtr item = test();
    if (node->items.empty() && tok_.kind == Tok::kFor) {
      auto loop = std::make_unique<ComprehensionExpr>(lo, tok_.hi);
      grow(*loop, item.get());
      loop->body = std::move(item);
      return comprehension(std::move(loop), Tok::kRbracket);
    }
    grow(*node, item.get());
    node->items.push_back(std::move(item));
    if (!accept(Tok::kComma)) break;
  }
  node->hi = tok_.hi;
  if (tok_.kind != Tok::kRbracket) fail_got("',' or ']'");
  advance();
  return node;
}

DictEntry Parser::dict_entry() {
  DictEntry out;
  if (tok_.kind == Tok::kStarStar) fail_got("a key (`d | other` merges dicts)");
  out.key = test();
  out.colon = tok_.lo;
  if (tok_.kind != Tok::kColon) {
    const bool set_like = tok_.kind == Tok::kComma || tok_.kind == Tok::kRbrace;
    problems_.abort(tok_.lo, tok_.hi, fmt::format("got {}, want ':'", shown(tok_)),
                    set_like ? "a set is written set([1, 2])" : "");
  }
  advance();
  out.value = test();
  return out;
}

ExprPtr Parser::dict() {
  const std::uint32_t lo = tok_.lo;
  advance();
  auto node = std::make_unique<DictExpr>(lo, tok_.hi);
  while (tok_.kind != Tok::kRbrace && tok_.kind != Tok::kEof) {
    DictEntry entry = dict_entry();
    if (node->entries.empty() && tok_.kind == Tok::kFor) {
      auto loop = std::make_unique<ComprehensionExpr>(lo, tok_.hi);
      grow(*loop, entry.key.get());
      grow(*loop, entry.value.get());
      loop->key = std::move(entry.key);
      loop->body = std::move(entry.value);
      loop->colon = entry.colon;
      return comprehension(std::move(loop), Tok::kRbrace);
    }
    grow(*node, entry.key.get());
    grow(*node, entry.value.get());
    node->entries.push_back(std::move(entry));
    if (!accept(Tok::kComma)) break;
  }
  node->hi = tok_.hi;
  if (tok_.kind != Tok::kRbrace) fail_got("',' or '}'");
  advance();
  return node;
}

namespace {
constexpr std::size_t kClausesMax = 64;
}

ExprPtr Parser::comprehension(std::unique_ptr<ComprehensionExpr> node, Tok close) {
  while (tok_.kind == Tok::kFor || tok_.kind == Tok::kIf) {
    ComprehensionClause clause;
    clause.lo = tok_.lo;
    if (accept(Tok::kFor)) {
      clause.target = loop_variables();
      expect(Tok::kIn);
      clause.operand = logical(true);
    } else {
      advance();
      clause.operand = test_without_conditional();
    }
    grow(*node, clause.target.get());
    grow(*node, clause.operand.get());
    node->clauses.push_back(std::move(clause));
    if (node->clauses.size() > kClausesMax) {
      problems_.abort(node->clauses.back().lo, tok_.lo, "more than 64 clauses in a comprehension");
    }
  }
  if (tok_.kind != close) {
    fail_got(fmt::format("'{}', for, or if", close == Tok::kRbracket ? "]" : "}"));
  }
  node->hi = tok_.hi;
  advance();
  return node;
}

ExprPtr Parser::loop_variables() {
  ExprPtr first = postfix();
  if (tok_.kind != Tok::kComma) return first;
  auto tuple = std::make_unique<ListExpr>(ExprKind::kTuple, first->lo, first->hi);
  grow(*tuple, first.get());
  tuple->items.push_back(std::move(first));
  while (accept(Tok::kComma)) {
    if (tok_.kind == Tok::kIn) break;
    tuple->items.push_back(postfix());
    grow(*tuple, tuple->items.back().get());
  }
  tuple->hi = previous_.hi;
  return tuple;
}

}  // namespace misrule::star
