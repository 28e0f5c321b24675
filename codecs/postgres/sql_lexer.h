#pragma once

// Where the tokens of SQL text are, as the server's own scanner cuts them, as far as matching and
// splitting need it: strings, names, comments and everything else.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace misrule::codecs::postgres {

/// Does a backslash in a plain '...' escape the next character (standard_conforming_strings off)?
enum class Backslash : bool { kOrdinary, kEscapes };

struct SqlToken {
  enum class Kind : std::uint8_t {
    kWord,        ///< A keyword, a plain name, a number, a $1.
    kQuotedName,  ///< "..." with its quotes.
    kString,      ///< '...', E'...', $tag$...$tag$ with their quotes.
    kSymbol,      ///< One character of anything else.
  } kind = Kind::kSymbol;
  std::string_view text = {};  ///< A view into the lexer's text.
  std::size_t begin = 0;       ///< Where it starts there.
  bool blank_before = false;   ///< Blanks or comments stand in front of it.

  std::size_t end() const { return begin + text.size(); }
  bool is(char symbol) const { return kind == Kind::kSymbol && text.front() == symbol; }
};

/// Linear in the text; what does not end (a string, a comment) ends with the text.
class SqlLexer {
 public:
  /// The text stays alive as long as the lexer and its tokens.
  explicit SqlLexer(std::string_view text, Backslash backslash = Backslash::kOrdinary)
      : text_(text), backslash_(backslash) {}

  /// The next token into `token`; false at the end.
  bool next(SqlToken& token);

 private:
  char at(std::size_t position) const { return position < text_.size() ? text_[position] : '\0'; }
  bool skip_blanks();
  void skip_nested_comment();
  std::size_t end_of_quoted(std::size_t position, char quote, bool escapes) const;
  std::size_t end_of_dollar_quoted() const;
  std::size_t end_of_word() const;
  std::size_t end_of_token(SqlToken::Kind& kind) const;

  std::string_view text_;
  std::size_t position_ = 0;
  Backslash backslash_;
};

/// ASCII only, as the server folds names in a multi-byte encoding.
inline char in_lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
/// Letters' case aside; `lower` is in lower case.
bool is_word(const SqlToken& token, std::string_view lower);

}  // namespace misrule::codecs::postgres
