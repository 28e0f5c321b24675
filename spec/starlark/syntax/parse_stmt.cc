// Statements, and how parsing goes on after an error.

#include <utility>

#include "fmt/format.h"
#include "spec/starlark/syntax/parser.h"

namespace misrule::star {

std::unique_ptr<FileSyntax> parse_file(const SourceFile& file, const ParseLimits& limits,
                                       std::vector<Diagnostic>& problems) {
  auto out = std::make_unique<FileSyntax>();
  out->file = &file;
  Parser(file, limits, problems).parse(*out);
  return out;
}

Parser::Parser(const SourceFile& file, const ParseLimits& limits, std::vector<Diagnostic>& problems)
    : problems_(file, problems), limits_(limits), lexer_(problems_) {}

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (++parser_.nesting_ <= parser_.limits_.nesting_max) return;
  --parser_.nesting_;
  Diagnostic problem;
  problem.code = code::kLimit;
  problem.message = "nested too deeply";
  problem.at = parser_.problems_.span(parser_.tok_.lo, parser_.tok_.hi);
  parser_.problems_.add(std::move(problem));
  throw SyntaxAbort{};
}

void Parser::parse(FileSyntax& file) {
  try {
    advance();
  } catch (const SyntaxAbort&) {
    skip_statement();
  }
  while (tok_.kind != Tok::kEof && problems_.count() < limits_.problems_max) {
    if (tok_.kind == Tok::kOutdent) {
      tok_.kind = Tok::kNewline;  // Of a block that was given up.
    }
    guarded_statement(file.body);
  }
  fill_doc(file.doc, file.body);
}

void Parser::guarded_statement(Block& out) {
  try {
    if (accept(Tok::kNewline)) return;
    statement(out);
  } catch (const SyntaxAbort&) {
    skip_statement();
  }
}

// To the first token behind the broken statement and the block that it may have opened.
void Parser::skip_statement() {
  if (tok_.kind == Tok::kOutdent || tok_.kind == Tok::kEof) return;
  std::uint32_t blocks = tok_.kind == Tok::kIndent ? 1 : 0;
  bool fresh = blocks == 0;
  while (true) {
    try {
      if (fresh && tok_.kind != Tok::kNewline) lexer_.recover();
      fresh = false;
      advance();
      while (true) {
        if (tok_.kind == Tok::kEof) return;
        if (tok_.kind == Tok::kIndent) ++blocks;
        if (tok_.kind == Tok::kOutdent && blocks > 0 && --blocks == 0) {
          advance();
          return;
        }
        const bool line_done = previous_.kind == Tok::kNewline && tok_.kind != Tok::kNewline;
        if (blocks == 0 && line_done) return;
        advance();
      }
    } catch (const SyntaxAbort&) {
      lexer_.recover();
    }
  }
}

void Parser::advance() {
  previous_ = std::move(tok_);
  tok_ = Token{.kind = Tok::kReserved, .lo = previous_.hi, .hi = previous_.hi};
  tok_ = lexer_.next();
}

bool Parser::accept(Tok kind) {
  if (tok_.kind != kind) return false;
  advance();
  return true;
}

std::uint32_t Parser::expect(Tok kind) {
  if (tok_.kind != kind) fail_got(describe(kind));
  const std::uint32_t lo = tok_.lo;
  advance();
  return lo;
}

std::string_view Parser::text_of(const Token& token) const {
  return problems_.span(token.lo, token.hi).text();
}

std::string Parser::shown(const Token& token) const {
  if (token.kind == Tok::kReserved) return std::string(text_of(token));
  return std::string(describe(token.kind));
}

void Parser::fail_got(std::string_view want) {
  problems_.abort(tok_.lo, tok_.hi, fmt::format("got {}, want {}", shown(tok_), want), hint());
}

std::string Parser::hint() const {
  const std::string_view word = text_of(tok_);
  if (tok_.kind == Tok::kString && previous_.kind == Tok::kString) {
    return "adjacent strings are not joined: put + between them";
  }
  if (tok_.kind == Tok::kString && text_of(previous_) == "f") {
    return "there are no f-strings: write \"...\" % value or \"{}\".format(value)";
  }
  if (tok_.kind == Tok::kStarStar) return "there is no power operator";
  if (tok_.kind == Tok::kFor) return "there are no generators: write [... for x in y]";
  if (tok_.kind != Tok::kReserved) return {};
  if (word == "import" || word == "from") return "write load(\"file.star\", \"name\")";
  if (word == "try" || word == "except" || word == "raise" || word == "finally") {
    return "there are no exceptions: fail(\"...\") ends the test";
  }
  if (word == "class") return "there are no classes: struct(a = 1) makes a value with fields";
  if (word == "global" || word == "nonlocal") {
    return "keep state that functions share in a dict or a list";
  }
  if (word == "del") return "write d.pop(key) or list.remove(value)";
  return fmt::format("`{}` is a reserved word", word);
}

void Parser::statement(Block& out) {
  switch (tok_.kind) {
    case Tok::kDef:
      return def_statement(out);
    case Tok::kIf:
      return if_statement(out);
    case Tok::kFor:
      return for_statement(out);
    case Tok::kWhile:
      return while_statement(out);
    default:
      return simple_statement(out);
  }
}

void Parser::def_statement(Block& out) {
  const Nesting nesting(*this);
  const std::uint32_t lo = expect(Tok::kDef);
  auto def = std::make_unique<DefStmt>(StmtKind::kDef, lo);
  def->name = name();
  FunctionSyntax& function = def->function;
  function.name = def->name->name.text();
  function.name_lo = def->name->lo;
  function.name_hi = def->name->hi;
  function.lo = lo;
  expect(Tok::kLparen);
  function.parameters = parameters(Tok::kRparen);
  if (tok_.kind != Tok::kRparen) fail_got("',' or ')'");
  advance();
  if (tok_.kind == Tok::kMinus) fail_got("':' (there are no type annotations)");
  expect(Tok::kColon);
  function.body = suite();
  function.hi = def->hi = previous_.hi;
  fill_doc(function.doc, function.body);
  out.push_back(std::move(def));
}

void Parser::fill_doc(std::string& doc, const Block& body) const {
  if (body.empty() || body.front()->kind != StmtKind::kExpr) return;
  const Expr& first = *as<ExprStmt>(*body.front()).value;
  if (first.kind != ExprKind::kLiteral) return;
  if (const auto text = as<LiteralExpr>(first).value.as_string()) doc = *text;
}

void Parser::if_statement(Block& out) {
  const Nesting nesting(*this);
  auto stmt = std::make_unique<IfStmt>(StmtKind::kIf, tok_.lo);
  do {
    advance();
    IfStmt::Branch branch;
    branch.condition = test();
    expect(Tok::kColon);
    branch.body = suite();
    stmt->branches.push_back(std::move(branch));
  } while (tok_.kind == Tok::kElif);
  if (accept(Tok::kElse)) {
    expect(Tok::kColon);
    stmt->otherwise = suite();
  }
  stmt->hi = previous_.hi;
  out.push_back(std::move(stmt));
}

void Parser::for_statement(Block& out) {
  const Nesting nesting(*this);
  auto stmt = std::make_unique<ForStmt>(StmtKind::kFor, expect(Tok::kFor));
  stmt->target = loop_variables();
  expect(Tok::kIn);
  stmt->iterable = expressions(false);
  expect(Tok::kColon);
  stmt->body = suite();
  stmt->hi = previous_.hi;
  if (tok_.kind == Tok::kElse) {
    problems_.abort(tok_.lo, tok_.hi, "got else, want statement", "a loop has no else");
  }
  out.push_back(std::move(stmt));
}

void Parser::while_statement(Block& out) {
  const Nesting nesting(*this);
  auto stmt = std::make_unique<WhileStmt>(StmtKind::kWhile, expect(Tok::kWhile));
  stmt->condition = test();
  expect(Tok::kColon);
  stmt->body = suite();
  stmt->hi = previous_.hi;
  out.push_back(std::move(stmt));
}

Block Parser::suite() {
  Block block;
  if (tok_.kind != Tok::kNewline) {
    simple_statement(block);
    return block;
  }
  advance();
  if (tok_.kind != Tok::kIndent) fail_got("an indented block");
  advance();
  while (tok_.kind != Tok::kOutdent && tok_.kind != Tok::kEof) {
    if (problems_.count() >= limits_.problems_max) throw SyntaxAbort{};
    guarded_statement(block);
  }
  accept(Tok::kOutdent);
  return block;
}

void Parser::simple_statement(Block& out) {
  while (true) {
    StmtPtr stmt = small_statement();
    stmt->hi = previous_.hi;
    out.push_back(std::move(stmt));
    if (!accept(Tok::kSemi)) break;
    if (tok_.kind == Tok::kNewline || tok_.kind == Tok::kEof) break;
  }
  if (tok_.kind == Tok::kEof) return;
  if (tok_.kind != Tok::kNewline) fail_got("newline");
  // Only now: the next token may be in error, and this statement is not.
  try {
    advance();
  } catch (const SyntaxAbort&) {
    skip_statement();
  }
}

StmtPtr Parser::small_statement() {
  const std::uint32_t lo = tok_.lo;
  switch (tok_.kind) {
    case Tok::kReturn: {
      auto stmt = std::make_unique<ReturnStmt>(StmtKind::kReturn, lo);
      advance();
      const bool bare =
          tok_.kind == Tok::kNewline || tok_.kind == Tok::kSemi || tok_.kind == Tok::kEof;
      if (!bare) stmt->value = expressions(false);
      return stmt;
    }
    case Tok::kBreak:
      advance();
      return std::make_unique<Stmt>(StmtKind::kBreak, lo);
    case Tok::kContinue:
      advance();
      return std::make_unique<Stmt>(StmtKind::kContinue, lo);
    case Tok::kPass:
      advance();
      return std::make_unique<Stmt>(StmtKind::kPass, lo);
    case Tok::kLoad:
      return load_statement();
    default:
      return expression_statement();
  }
}

StmtPtr Parser::expression_statement() {
  const std::uint32_t lo = tok_.lo;
  ExprPtr first = expressions(false);
  const bool augmented = tok_.kind >= Tok::kPlusAssign && tok_.kind <= Tok::kGreater2Assign;
  if (tok_.kind != Tok::kAssign && !augmented) {
    auto stmt = std::make_unique<ExprStmt>(StmtKind::kExpr, lo);
    stmt->value = std::move(first);
    return stmt;
  }
  constexpr BinaryOp kOps[] = {BinaryOp::kAdd,       BinaryOp::kSubtract,    BinaryOp::kMultiply,
                               BinaryOp::kDivide,    BinaryOp::kFloorDivide, BinaryOp::kModulo,
                               BinaryOp::kBitAnd,    BinaryOp::kBitOr,       BinaryOp::kBitXor,
                               BinaryOp::kShiftLeft, BinaryOp::kShiftRight};
  auto stmt =
      std::make_unique<AssignStmt>(augmented ? StmtKind::kAugmented : StmtKind::kAssign, lo);
  if (augmented) {
    stmt->op = kOps[static_cast<int>(tok_.kind) - static_cast<int>(Tok::kPlusAssign)];
  }
  stmt->op_lo = tok_.lo;
  advance();
  stmt->target = std::move(first);
  stmt->value = expressions(false);
  if (tok_.kind == Tok::kAssign) {
    problems_.abort(tok_.lo, tok_.hi, "got '=', want newline",
                    "assign once: a = 1, and then b = a");
  }
  return stmt;
}

StmtPtr Parser::load_statement() {
  auto load = std::make_unique<LoadStmt>(StmtKind::kLoad, expect(Tok::kLoad));
  expect(Tok::kLparen);
  if (tok_.kind != Tok::kString) {
    problems_.abort(tok_.lo, tok_.hi, "first operand of load statement must be a string literal");
  }
  load->path = *tok_.value.as_string();
  load->path_lo = tok_.lo;
  load->path_hi = tok_.hi;
  advance();
  while (tok_.kind != Tok::kRparen && tok_.kind != Tok::kEof) {
    expect(Tok::kComma);
    if (tok_.kind == Tok::kRparen) break;
    load_binding(*load);
  }
  expect(Tok::kRparen);
  if (load->bindings.empty()) {
    problems_.abort(load->lo, previous_.hi, "load statement must import at least 1 symbol",
                    "write load(\"file.star\", \"name\")");
  }
  return load;
}

void Parser::load_binding(LoadStmt& load) {
  LoadStmt::Binding binding;
  binding.lo = tok_.lo;
  if (tok_.kind == Tok::kName) {
    binding.local = name();
    if (tok_.kind != Tok::kAssign) {
      problems_.abort(binding.lo, previous_.hi,
                      fmt::format("load operand must be \"{0}\" or {0}=\"originalname\"",
                                  binding.local->name.text()));
    }
    advance();
    if (tok_.kind != Tok::kString) {
      problems_.abort(
          tok_.lo, tok_.hi,
          fmt::format("original name of loaded symbol must be quoted: {}=\"originalname\"",
                      binding.local->name.text()));
    }
  }
  if (tok_.kind != Tok::kString) {
    problems_.abort(
        tok_.lo, tok_.hi,
        fmt::format("load operand must be \"name\" or localname=\"name\" (got {})", shown(tok_)));
  }
  binding.original = *tok_.value.as_string();
  if (binding.local == nullptr) {
    binding.local = std::make_unique<NameExpr>(tok_.lo, tok_.hi, Symbol(binding.original));
  }
  binding.hi = tok_.hi;
  advance();
  load.bindings.push_back(std::move(binding));
}

std::vector<Parameter> Parser::parameters(Tok end) {
  std::vector<Parameter> out;
  while (tok_.kind != end && tok_.kind != Tok::kEof) {
    out.push_back(parameter());
    if (!accept(Tok::kComma)) break;
  }
  return out;
}

Parameter Parser::parameter() {
  Parameter out;
  out.lo = tok_.lo;
  if (accept(Tok::kStarStar)) {
    out.kind = ParameterKind::kKwargs;
    out.name = name()->name;
  } else if (accept(Tok::kStar)) {
    out.kind = ParameterKind::kVarargs;
    if (tok_.kind == Tok::kName) out.name = name()->name;
  } else {
    out.name = name()->name;
    if (accept(Tok::kAssign)) out.default_value = test();
  }
  return out;
}

}  // namespace misrule::star
