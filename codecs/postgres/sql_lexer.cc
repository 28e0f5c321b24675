#include "codecs/postgres/sql_lexer.h"

#include <algorithm>

namespace misrule::codecs::postgres {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool begins_name(char c) {
  const char lower = in_lower_case(c);
  return (lower >= 'a' && lower <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool continues_tag(char c) { return begins_name(c) || is_digit(c); }

bool continues_word(char c) { return continues_tag(c) || c == '$'; }

}  // namespace

char in_lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_word(const SqlToken& token, std::string_view lower) {
  return token.kind == SqlToken::Kind::kWord &&
         std::ranges::equal(token.text, lower, {}, in_lower_case);
}

bool SqlLexer::next(SqlToken& token) {
  token.blank_before = skip_blanks();
  if (position_ >= text_.size()) return false;
  token.begin = position_;
  position_ = end_of_token(token.kind);
  token.text = text_.substr(token.begin, position_ - token.begin);
  return true;
}

bool SqlLexer::skip_blanks() {
  const std::size_t begin = position_;
  while (position_ < text_.size()) {
    if (is_blank(at(position_))) {
      ++position_;
    } else if (at(position_) == '-' && at(position_ + 1) == '-') {
      position_ = std::min(text_.find_first_of("\r\n", position_), text_.size());
    } else if (at(position_) == '/' && at(position_ + 1) == '*') {
      skip_nested_comment();
    } else {
      break;
    }
  }
  return position_ != begin;
}

void SqlLexer::skip_nested_comment() {
  std::size_t depth = 0;
  do {
    if (at(position_) == '/' && at(position_ + 1) == '*') {
      ++depth;
      position_ += 2;
    } else if (at(position_) == '*' && at(position_ + 1) == '/') {
      --depth;
      position_ += 2;
    } else {
      ++position_;
    }
  } while (depth > 0 && position_ < text_.size());
  position_ = std::min(position_, text_.size());
}

// A doubled quote is read as an end and a beginning, which comes to the same.
std::size_t SqlLexer::end_of_quoted(std::size_t position, char quote, bool escapes) const {
  while (position < text_.size()) {
    const char c = text_[position];
    if (escapes && c == '\\') {
      position += 2;
    } else if (c != quote) {
      ++position;
    } else if (at(position + 1) == quote) {
      position += 2;
    } else {
      return position + 1;
    }
  }
  return text_.size();
}

std::size_t SqlLexer::end_of_dollar_quoted() const {
  std::size_t end = position_ + 1;
  if (is_digit(at(end))) return position_ + 1;
  while (end < text_.size() && continues_tag(text_[end])) ++end;
  if (at(end) != '$') return position_ + 1;
  const std::string_view tag = text_.substr(position_, end + 1 - position_);
  const std::size_t closing = text_.find(tag, end + 1);
  return closing == std::string_view::npos ? text_.size() : closing + tag.size();
}

std::size_t SqlLexer::end_of_word() const {
  std::size_t end = position_ + 1;
  while (end < text_.size() && continues_word(text_[end])) ++end;
  return end;
}

std::size_t SqlLexer::end_of_token(SqlToken::Kind& kind) const {
  const char first = text_[position_];
  const bool escapes = backslash_ == Backslash::kEscapes;
  kind = SqlToken::Kind::kString;
  if (first == '\'') return end_of_quoted(position_ + 1, '\'', escapes);
  if (in_lower_case(first) == 'e' && at(position_ + 1) == '\'') {
    return end_of_quoted(position_ + 2, '\'', true);
  }
  if (first == '$') {
    if (const std::size_t end = end_of_dollar_quoted(); end > position_ + 1) return end;
  }
  kind = SqlToken::Kind::kQuotedName;
  if (first == '"') return end_of_quoted(position_ + 1, '"', false);
  kind = SqlToken::Kind::kWord;
  if (begins_name(first) || is_digit(first)) return end_of_word();
  if (first == '$' && is_digit(at(position_ + 1))) return end_of_word();
  kind = SqlToken::Kind::kSymbol;
  return position_ + 1;
}

}  // namespace misrule::codecs::postgres
