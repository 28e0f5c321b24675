#pragma once

// Tokens to a syntax tree. Notes every syntax error of a file, one per statement, and goes on
// behind it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spec/starlark/diagnostic.h"
#include "spec/starlark/syntax/ast.h"
#include "spec/starlark/syntax/lexer.h"

namespace misrule::star {

struct ParseLimits {
  std::uint32_t nesting_max = 256;
  std::uint16_t height_max = 1000;
  std::size_t problems_max = 50;
};

/// A whole file; with problems, the statements that were understood.
std::unique_ptr<FileSyntax> parse_file(const SourceFile& file, const ParseLimits& limits,
                                       std::vector<Diagnostic>& problems);

class Parser {
 public:
  Parser(const SourceFile& file, const ParseLimits& limits, std::vector<Diagnostic>& problems);
  void parse(FileSyntax& file);

 private:
  class Nesting;

  // parse_stmt.cc
  void statement(Block& out);
  void guarded_statement(Block& out);
  void skip_statement();
  void def_statement(Block& out);
  void if_statement(Block& out);
  void for_statement(Block& out);
  void while_statement(Block& out);
  Block suite();
  void simple_statement(Block& out);
  StmtPtr small_statement();
  StmtPtr load_statement();
  void load_binding(LoadStmt& load);
  StmtPtr expression_statement();
  std::vector<Parameter> parameters(Tok end);
  Parameter parameter();
  void fill_doc(std::string& doc, const Block& body) const;

  // parse_expr.cc
  ExprPtr expressions(bool in_brackets);
  ExprPtr tuple_rest(ExprPtr first, bool in_brackets);
  ExprPtr test();
  ExprPtr test_without_conditional();
  ExprPtr lambda(bool with_conditional);
  ExprPtr logical(bool is_or);
  ExprPtr negation();
  ExprPtr comparison();
  bool comparison_operator(CompareOp& op);
  void check_is(const CompareExpr& compare);
  ExprPtr binary(int precedence);
  ExprPtr make_binary(BinaryOp op, std::uint32_t op_lo, ExprPtr left, ExprPtr right);
  ExprPtr unary();
  ExprPtr postfix();
  ExprPtr attribute(ExprPtr object);
  ExprPtr call(ExprPtr callee);
  Argument argument();
  ExprPtr subscript(ExprPtr object);
  ExprPtr slice(ExprPtr object, ExprPtr start, std::uint32_t bracket);
  ExprPtr atom();
  ExprPtr literal();
  std::unique_ptr<NameExpr> name();
  ExprPtr parenthesized();
  ExprPtr list();
  ExprPtr dict();
  DictEntry dict_entry();
  ExprPtr comprehension(std::unique_ptr<ComprehensionExpr> node, Tok close);
  ExprPtr loop_variables();

  void advance();
  bool accept(Tok kind);
  std::uint32_t expect(Tok kind);
  [[noreturn]] void fail_got(std::string_view want);
  std::string shown(const Token& token) const;
  std::string hint() const;
  std::string_view text_of(const Token& token) const;
  void grow(Expr& parent, const Expr* child);

  Problems problems_;
  const ParseLimits& limits_;
  Lexer lexer_;
  Token tok_;
  Token previous_;
  std::uint32_t nesting_ = 0;
};

/// Counts how deep the parser's own recursion is.
class Parser::Nesting {
 public:
  explicit Nesting(Parser& parser);
  ~Nesting() { --parser_.nesting_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  Parser& parser_;
};

}  // namespace misrule::star
