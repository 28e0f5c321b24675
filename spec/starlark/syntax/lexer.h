#pragma once

// Text to tokens: indentation, literals, comments, joined lines.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spec/starlark/diagnostic.h"
#include "spec/starlark/syntax/token.h"

namespace misrule::star {

/// Thrown inside syntax/ after a problem was noted; the parser goes on behind the statement.
struct SyntaxAbort {};

/// Collects the problems of one file.
class Problems {
 public:
  Problems(const SourceFile& file, std::vector<Diagnostic>& out) : file_(file), out_(out) {}
  void error(std::uint32_t lo, std::uint32_t hi, std::string message, std::string help = {});
  void add(Diagnostic diagnostic) { out_.push_back(std::move(diagnostic)); }
  [[noreturn]] void abort(std::uint32_t lo, std::uint32_t hi, std::string message,
                          std::string help = {});
  Span span(std::uint32_t lo, std::uint32_t hi) const { return {&file_, lo, hi}; }
  const SourceFile& file() const { return file_; }
  std::size_t count() const { return out_.size(); }

 private:
  const SourceFile& file_;
  std::vector<Diagnostic>& out_;
};

class Lexer {
 public:
  explicit Lexer(Problems& problems);
  Token next();
  /// After a problem: to the end of the statement; the next token is its newline.
  void recover();

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool skip_newline();
  void skip_comment();
  void skip_blanks();
  void measure_indentation();
  std::uint32_t blanks_of_line();
  Token end_of_file();
  Token punctuation();
  bool is_identifier_start(std::size_t at) const;
  Token identifier();
  [[noreturn]] void unexpected_character();

  Token number();
  Token based_number(int base);
  std::size_t digits();
  Token float_number(std::uint32_t lo);

  std::size_t string_prefix() const;
  Token string(std::size_t prefix);
  bool at_string_end(char quote, bool triple) const;
  void string_character(std::string& out, bool raw, bool bytes);
  void escape(std::string& out, bool bytes);
  void octal_escape(std::string& out, bool bytes);
  void hex_escape(std::string& out, bool bytes);
  void unicode_escape(std::string& out, std::size_t digits);
  char32_t hex_digits(std::size_t count);

  Token token(Tok kind, std::uint32_t lo, Value value = {}) const {
    return {.kind = kind, .lo = lo, .hi = position(), .value = std::move(value)};
  }
  std::uint32_t position() const { return static_cast<std::uint32_t>(at_); }

  static constexpr std::size_t kIndentLevelsMax = 100;

  Problems& problems_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t depth_ = 0;  // Of open brackets.
  bool line_start_ = true;
  bool need_newline_ = false;
  int pending_ = 0;  // Indents (positive) or outdents not yet handed out.
  std::vector<std::uint32_t> indents_ = {0};
};

}  // namespace misrule::star
