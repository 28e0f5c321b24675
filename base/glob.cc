#include "base/glob.h"

namespace misrule {
namespace {

char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

Glob::Glob(std::string_view pattern, GlobCase letter_case)
    : pattern_(pattern), fold_(letter_case == GlobCase::kInsensitive) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '*') {
      const bool repeated = !tokens_.empty() && tokens_.back().kind == Token::Kind::kAnyRun;
      if (!repeated) tokens_.push_back({Token::Kind::kAnyRun, 0});
    } else if (c == '?') {
      tokens_.push_back({Token::Kind::kAnyOne, 0});
    } else {
      if (c == '\\' && i + 1 < pattern.size()) ++i;
      tokens_.push_back({Token::Kind::kLiteral, fold_ ? fold(pattern[i]) : pattern[i]});
    }
  }
}

bool Glob::token_matches(const Token& token, char c) const {
  if (token.kind == Token::Kind::kAnyOne) return true;
  return token.kind == Token::Kind::kLiteral && token.literal == (fold_ ? fold(c) : c);
}

// Greedy with one point of return: on a mismatch the most recent star takes one character more.
bool Glob::matches(std::string_view text) const {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t token = 0;
  std::size_t at = 0;
  std::size_t star = kNone;
  std::size_t star_at = 0;
  while (at < text.size()) {
    if (token < tokens_.size() && tokens_[token].kind == Token::Kind::kAnyRun) {
      star = token++;
      star_at = at;
    } else if (token < tokens_.size() && token_matches(tokens_[token], text[at])) {
      ++token;
      ++at;
    } else if (star != kNone) {
      token = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  while (token < tokens_.size() && tokens_[token].kind == Token::Kind::kAnyRun) ++token;
  return token == tokens_.size();
}

}  // namespace misrule
