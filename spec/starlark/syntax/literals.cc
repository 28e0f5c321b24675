// Numbers, strings and bytes as they are written in a file.

#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "fmt/format.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/syntax/lexer.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {
namespace {

constexpr std::size_t kIntDigitsMax = 100'000;

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

int digit_value(char c) {
  if (is_decimal(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

}  // namespace

std::size_t Lexer::digits() {
  const std::size_t before = at_;
  while (is_decimal(peek())) ++at_;
  return at_ - before;
}

Token Lexer::based_number(int base) {
  const std::uint32_t lo = position();
  at_ += 2;
  while (digit_value(peek()) < (base == 2 ? 10 : base)) ++at_;
  const std::string_view written = text_.substr(lo + 2, at_ - lo - 2);
  const std::string_view kind = base == 16 ? "hex" : base == 8 ? "octal" : "binary";
  if (written.size() > kIntDigitsMax) problems_.abort(lo, position(), "int literal too long");
  std::optional<Value> value = parse_int(written, base);
  if (!value) problems_.abort(lo, position(), fmt::format("invalid {} literal", kind));
  return token(Tok::kInt, lo, std::move(*value));
}

Token Lexer::number() {
  const std::uint32_t lo = position();
  const char second = static_cast<char>(peek(1) | 0x20);
  if (peek() == '0' && second == 'x') return based_number(16);
  if (peek() == '0' && second == 'o') return based_number(8);
  if (peek() == '0' && second == 'b') return based_number(2);
  digits();
  const char after = peek();
  if (after == '.' || after == 'e' || after == 'E') return float_number(lo);
  const std::string_view written = text_.substr(lo, at_ - lo);
  const bool zeros = written.find_first_not_of('0') == std::string_view::npos;
  if (written[0] == '0' && !zeros) {
    if (written.find_first_of("89") != std::string_view::npos) {
      problems_.abort(lo, position(), "invalid int literal");
    }
    problems_.abort(lo, position(),
                    fmt::format("obsolete form of octal literal; use 0o{}", written.substr(1)));
  }
  if (written.size() > kIntDigitsMax) problems_.abort(lo, position(), "int literal too long");
  return token(Tok::kInt, lo, parse_int(written, 10).value_or(Value()));
}

Token Lexer::float_number(std::uint32_t lo) {
  if (peek() == '.') {
    ++at_;
    digits();
  }
  if (peek() == 'e' || peek() == 'E') {
    ++at_;
    if (peek() == '+' || peek() == '-') ++at_;
    if (digits() == 0) problems_.abort(lo, position(), "invalid float literal");
  }
  double value = 0;
  const auto read = std::from_chars(text_.data() + lo, text_.data() + at_, value);
  if (read.ec == std::errc::result_out_of_range) {
    const std::string copy(text_.substr(lo, at_ - lo));
    value = std::strtod(copy.c_str(), nullptr);
    if (!std::isfinite(value)) problems_.abort(lo, position(), "invalid float literal");
  }
  return token(Tok::kFloat, lo, Value::real(value));
}

std::size_t Lexer::string_prefix() const {
  std::size_t length = 0;
  const std::string_view rest = text_.substr(at_, 3);
  if (rest.starts_with("rb") || rest.starts_with("br")) {
    length = 2;
  } else if (rest.starts_with("r") || rest.starts_with("b")) {
    length = 1;
  }
  const char quote = peek(length);
  return quote == '"' || quote == '\'' ? length : std::string_view::npos;
}

bool Lexer::at_string_end(char quote, bool triple) const {
  if (peek() != quote) return false;
  return !triple || (peek(1) == quote && peek(2) == quote);
}

Token Lexer::string(std::size_t prefix) {
  const std::uint32_t lo = position();
  const std::string_view letters = text_.substr(at_, prefix);
  const bool raw = letters.find('r') != std::string_view::npos;
  const bool bytes = letters.find('b') != std::string_view::npos;
  at_ += prefix;
  const char quote = peek();
  const bool triple = peek(1) == quote && peek(2) == quote;
  at_ += triple ? 3 : 1;
  std::string out;
  while (!at_string_end(quote, triple)) {
    if (at_end()) problems_.abort(lo, lo + 1, "unexpected EOF in string");
    if (!triple && (peek() == '\n' || peek() == '\r')) {
      problems_.abort(lo, position(), "unexpected newline in string",
                      "a string over several lines stands in \"\"\"three quotes\"\"\"");
    }
    string_character(out, raw, bytes);
  }
  at_ += triple ? 3 : 1;
  if (bytes) return token(Tok::kBytes, lo, Value::bytes(out));
  if (!is_valid_utf8(out)) out = sanitize_utf8(out);
  return token(Tok::kString, lo, Value::string(out));
}

void Lexer::string_character(std::string& out, bool raw, bool bytes) {
  if (skip_newline()) {
    out.push_back('\n');
    return;
  }
  if (peek() != '\\') {
    out.push_back(text_[at_++]);
    return;
  }
  if (!raw) {
    escape(out, bytes);
    return;
  }
  out.push_back(text_[at_++]);
  if (at_end()) return;
  if (skip_newline()) {
    out.push_back('\n');
  } else {
    out.push_back(text_[at_++]);
  }
}

void Lexer::escape(std::string& out, bool bytes) {
  constexpr std::string_view kNames = "abfnrtv\\'\"";
  constexpr std::string_view kControls = "\a\b\f\n\r\t\v\\'\"";
  const std::uint32_t lo = position();
  ++at_;
  if (at_end()) return;  // The caller notes the missing end.
  if (skip_newline()) return;
  const char c = peek();
  if (const std::size_t named = kNames.find(c); named != std::string_view::npos) {
    ++at_;
    out.push_back(kControls[named]);
  } else if (c >= '0' && c <= '7') {
    octal_escape(out, bytes);
  } else if (c == 'x') {
    hex_escape(out, bytes);
  } else if (c == 'u' || c == 'U') {
    unicode_escape(out, c == 'u' ? 4 : 8);
  } else {
    const std::size_t size = decode_utf8(text_.substr(at_)).size;
    at_ += size;
    problems_.abort(
        lo, position(), fmt::format("invalid escape sequence {}", text_.substr(lo, 1 + size)),
        "a backslash itself is written \\\\; in a raw string r\"...\" it stands for itself");
  }
}

void Lexer::octal_escape(std::string& out, bool bytes) {
  const std::uint32_t lo = position() - 1;
  unsigned value = 0;
  for (int i = 0; i < 3 && peek() >= '0' && peek() <= '7'; ++i) {
    value = value * 8 + static_cast<unsigned>(text_[at_++] - '0');
  }
  if (!bytes && value > 127) {
    const std::string_view written = text_.substr(lo, at_ - lo);
    problems_.abort(
        lo, position(),
        fmt::format("non-ASCII octal escape {} (use \\u{:04X} for the UTF-8 encoding of U+{:04X})",
                    written, value, value));
  }
  if (value > 255) {
    problems_.abort(lo, position(), fmt::format("octal escape value {} > 255", value));
  }
  out.push_back(static_cast<char>(value));
}

char32_t Lexer::hex_digits(std::size_t count) {
  const std::uint32_t lo = position() - 1;
  ++at_;
  char32_t value = 0;
  for (std::size_t i = 0; i < count; ++i, ++at_) {
    const int digit = digit_value(peek());
    if (digit > 15) {
      problems_.abort(lo, position(),
                      fmt::format("invalid escape sequence {}", text_.substr(lo, at_ - lo)));
    }
    value = value * 16 + static_cast<char32_t>(digit);
  }
  return value;
}

void Lexer::hex_escape(std::string& out, bool bytes) {
  const std::uint32_t lo = position() - 1;
  const auto value = static_cast<unsigned>(hex_digits(2));
  if (!bytes && value > 127) {
    problems_.abort(
        lo, position(),
        fmt::format("non-ASCII hex escape {} (use \\u{:04X} for the UTF-8 encoding of U+{:04X})",
                    text_.substr(lo, at_ - lo), value, value));
  }
  out.push_back(static_cast<char>(value));
}

void Lexer::unicode_escape(std::string& out, std::size_t count) {
  const std::uint32_t lo = position() - 1;
  const char32_t point = hex_digits(count);
  if (point > 0x10FFFF) {
    problems_.abort(
        lo, position(),
        fmt::format("code point out of range: {} (max \\U0010ffff)", text_.substr(lo, at_ - lo)));
  }
  if (point >= 0xD800 && point < 0xE000) {
    problems_.abort(
        lo, position(),
        fmt::format("invalid Unicode code point U+{:04X}", static_cast<unsigned>(point)));
  }
  append_utf8(out, point);
}

}  // namespace misrule::star
