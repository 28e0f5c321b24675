#include "codecs/postgres/sql_lexer.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace misrule::codecs::postgres {

namespace {

enum Class : std::uint8_t { kBlank = 1, kBeginsName = 2, kDigit = 4, kDollar = 8 };

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes = {};
  for (const char c : {' ', '\t', '\n', '\r', '\f', '\v'})
    classes[static_cast<std::size_t>(c)] = kBlank;
  for (std::size_t c = '0'; c <= '9'; ++c) classes[c] = kDigit;
  for (std::size_t c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 'a' + 'A'] = kBeginsName;
  for (std::size_t c = 0x80; c <= 0xff; ++c) classes[c] = kBeginsName;
  classes['_'] = kBeginsName;
  classes['$'] = kDollar;
  return classes;
}();

bool is(char c, unsigned classes) {
  return (kClasses[static_cast<unsigned char>(c)] & classes) != 0;
}
bool is_blank(char c) { return is(c, kBlank); }
bool is_digit(char c) { return is(c, kDigit); }
bool continues_tag(char c) { return is(c, kBeginsName | kDigit); }
bool continues_word(char c) { return is(c, kBeginsName | kDigit | kDollar); }

}  // namespace

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
  kind = SqlToken::Kind::kWord;
  const bool prefixes_string = in_lower_case(first) == 'e' && at(position_ + 1) == '\'';
  if (is(first, kBeginsName | kDigit) && !prefixes_string) return end_of_word();
  kind = SqlToken::Kind::kString;
  if (first == '\'') return end_of_quoted(position_ + 1, '\'', escapes);
  if (prefixes_string) return end_of_quoted(position_ + 2, '\'', true);
  if (first == '$') {
    if (const std::size_t end = end_of_dollar_quoted(); end > position_ + 1) return end;
  }
  kind = SqlToken::Kind::kQuotedName;
  if (first == '"') return end_of_quoted(position_ + 1, '"', false);
  kind = SqlToken::Kind::kWord;
  if (first == '$' && is_digit(at(position_ + 1))) return end_of_word();
  kind = SqlToken::Kind::kSymbol;
  return position_ + 1;
}

}  // namespace misrule::codecs::postgres
