// Tokens but for literals (literals.cc): lines, indentation, names, punctuation.

#include "spec/starlark/syntax/lexer.h"

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {

void Problems::error(std::uint32_t lo, std::uint32_t hi, std::string message, std::string help) {
  Diagnostic problem;
  problem.code = code::kSyntax;
  problem.message = std::move(message);
  problem.help = std::move(help);
  problem.at = span(lo, std::max(hi, lo));
  out_.push_back(std::move(problem));
}

void Problems::abort(std::uint32_t lo, std::uint32_t hi, std::string message, std::string help) {
  error(lo, hi, std::move(message), std::move(help));
  throw SyntaxAbort{};
}

Lexer::Lexer(Problems& problems) : problems_(problems), text_(problems.file().text()) {
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
}

bool Lexer::skip_newline() {
  if (peek() == '\r' && !at_end()) {
    at_ += peek(1) == '\n' ? 2 : 1;
    return true;
  }
  if (peek() != '\n') return false;
  ++at_;
  return true;
}

void Lexer::skip_comment() {
  while (!at_end() && peek() != '\n' && peek() != '\r') ++at_;
}

std::uint32_t Lexer::blanks_of_line() {
  std::uint32_t column = 0;
  for (; peek() == ' ' || peek() == '\t'; ++at_) {
    column = peek() == ' ' ? column + 1 : (column / 8 + 1) * 8;
  }
  return column;
}

void Lexer::measure_indentation() {
  std::uint32_t column = 0;
  do {
    column = blanks_of_line();
    if (peek() == '#') skip_comment();
  } while (skip_newline());
  if (at_end()) return;  // The end of the file closes what is open.
  line_start_ = false;
  if (column > indents_.back()) {
    if (indents_.size() > kIndentLevelsMax) {
      problems_.abort(position(), position() + 1, "more than 100 levels of indentation");
    }
    indents_.push_back(column);
    pending_ = 1;
    return;
  }
  for (; column < indents_.back(); --pending_) indents_.pop_back();
  if (column == indents_.back()) return;
  if (indents_.size() > 1) indents_.back() = column;  // The outermost stays 0.
  problems_.error(position(), position() + 1,
                  "unindent does not match any outer indentation level");
}

void Lexer::skip_blanks() {
  while (true) {
    const char c = peek();
    if (c == ' ' || c == '\t') {
      ++at_;
    } else if (c == '#') {
      skip_comment();
    } else if (c == '\\' && (peek(1) == '\n' || peek(1) == '\r')) {
      ++at_;
      skip_newline();
    } else if (depth_ == 0 || !skip_newline()) {
      return;
    }
  }
}

Token Lexer::end_of_file() {
  const std::uint32_t here = position();
  if (need_newline_ && depth_ == 0) {
    need_newline_ = false;
    return token(Tok::kNewline, here);
  }
  if (indents_.size() > 1 && depth_ == 0) {
    indents_.pop_back();
    return token(Tok::kOutdent, here);
  }
  return token(Tok::kEof, here);
}

Token Lexer::next() {
  if (line_start_ && depth_ == 0 && pending_ == 0) measure_indentation();
  if (pending_ != 0) {
    const bool deeper = pending_ > 0;
    pending_ += deeper ? -1 : 1;
    return token(deeper ? Tok::kIndent : Tok::kOutdent, position());
  }
  skip_blanks();
  if (at_end()) return end_of_file();
  const std::uint32_t lo = position();
  if (skip_newline()) {
    line_start_ = true;
    need_newline_ = false;
    return token(Tok::kNewline, lo);
  }
  need_newline_ = true;
  if (const std::size_t prefix = string_prefix(); prefix != std::string_view::npos) {
    return string(prefix);
  }
  if (is_identifier_start(at_)) return identifier();
  const bool digit = peek() >= '0' && peek() <= '9';
  if (digit || (peek() == '.' && peek(1) >= '0' && peek(1) <= '9')) return number();
  return punctuation();
}

void Lexer::recover() {
  const bool in_brackets = depth_ > 0;
  depth_ = 0;
  skip_comment();
  while (in_brackets && !at_end()) {
    const std::size_t line_end = at_;
    skip_newline();
    const std::uint32_t column = blanks_of_line();
    const char c = peek();
    const bool blank = c == '\n' || c == '\r' || c == '#';
    const bool closing = c == ')' || c == ']' || c == '}';
    if (!blank && !closing && column <= indents_.back()) {
      at_ = line_end;
      break;
    }
    skip_comment();
  }
  need_newline_ = true;
}

bool Lexer::is_identifier_start(std::size_t at) const {
  const auto c = static_cast<unsigned char>(text_[at]);
  if (c < 0x80) return c == '_' || is_letter(c);
  const Decoded next = decode_utf8(text_.substr(at));
  return next.valid && is_letter(next.point);
}

Token Lexer::identifier() {
  const std::uint32_t lo = position();
  while (!at_end()) {
    if (peek() >= '0' && peek() <= '9') {
      ++at_;
    } else if (is_identifier_start(at_)) {
      at_ += decode_utf8(text_.substr(at_)).size;
    } else {
      break;
    }
  }
  return token(keyword(text_.substr(lo, at_ - lo)), lo);
}

void Lexer::unexpected_character() {
  const std::uint32_t lo = position();
  const Decoded bad = decode_utf8(text_.substr(at_));
  at_ += bad.size;
  if (text_[lo] == '\\') {
    problems_.abort(lo, lo + 1, "stray backslash in program",
                    "a backslash joins lines only directly before the end of the line");
  }
  const bool printable = bad.valid && is_printable(bad.point);
  std::string shown = printable ? std::string(text_.substr(lo, bad.size))
                                : fmt::format("\\x{:02x}", static_cast<unsigned char>(text_[lo]));
  std::string help = bad.point == '!' ? "write `not x`; `!=` compares" : "";
  problems_.abort(lo, position(), fmt::format("unexpected input character '{}'", shown), help);
}

namespace {

struct Spelling {
  std::string_view text;
  Tok kind;
};

// Longest first.
constexpr Spelling kPunctuation[] = {
    {"//=", Tok::kSlashSlashAssign},
    {"<<=", Tok::kLess2Assign},
    {">>=", Tok::kGreater2Assign},
    {"**", Tok::kStarStar},
    {"//", Tok::kSlashSlash},
    {"<<", Tok::kLess2},
    {">>", Tok::kGreater2},
    {"<=", Tok::kLessEqual},
    {">=", Tok::kGreaterEqual},
    {"==", Tok::kEqual},
    {"!=", Tok::kNotEqual},
    {"+=", Tok::kPlusAssign},
    {"-=", Tok::kMinusAssign},
    {"*=", Tok::kStarAssign},
    {"/=", Tok::kSlashAssign},
    {"%=", Tok::kPercentAssign},
    {"&=", Tok::kAmpAssign},
    {"|=", Tok::kPipeAssign},
    {"^=", Tok::kCaretAssign},
    {"+", Tok::kPlus},
    {"-", Tok::kMinus},
    {"*", Tok::kStar},
    {"/", Tok::kSlash},
    {"%", Tok::kPercent},
    {"&", Tok::kAmp},
    {"|", Tok::kPipe},
    {"^", Tok::kCaret},
    {"~", Tok::kTilde},
    {".", Tok::kDot},
    {",", Tok::kComma},
    {"=", Tok::kAssign},
    {";", Tok::kSemi},
    {":", Tok::kColon},
    {"(", Tok::kLparen},
    {")", Tok::kRparen},
    {"[", Tok::kLbracket},
    {"]", Tok::kRbracket},
    {"{", Tok::kLbrace},
    {"}", Tok::kRbrace},
    {"<", Tok::kLess},
    {">", Tok::kGreater},
};

}  // namespace

Token Lexer::punctuation() {
  const std::string_view rest = text_.substr(at_);
  const auto* found =
      std::find_if(std::begin(kPunctuation), std::end(kPunctuation),
                   [rest](const Spelling& spelling) { return rest.starts_with(spelling.text); });
  if (found == std::end(kPunctuation)) unexpected_character();
  const std::uint32_t lo = position();
  at_ += found->text.size();
  const Tok kind = found->kind;
  if (kind == Tok::kLparen || kind == Tok::kLbracket || kind == Tok::kLbrace) ++depth_;
  const bool closes = kind == Tok::kRparen || kind == Tok::kRbracket || kind == Tok::kRbrace;
  if (closes && depth_ == 0) {
    problems_.abort(lo, position(), fmt::format("unexpected {}", describe(kind)),
                    "nothing that it closes is open");
  }
  if (closes) --depth_;
  return token(kind, lo);
}

}  // namespace misrule::star
