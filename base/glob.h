#pragma once

// Globs: '*' matches any run of characters, '/' and none included; '?' exactly one. Everything else
// matches itself; a backslash takes the next character literally.

#include <string>
#include <string_view>
#include <vector>

namespace misrule {

enum class GlobCase : bool { kSensitive, kInsensitive };

/// A compiled pattern. Matching is linear in the text for patterns with one star and never worse
/// than the product of both lengths.
class Glob {
 public:
  explicit Glob(std::string_view pattern, GlobCase letter_case = GlobCase::kSensitive);

  bool matches(std::string_view text) const;
  const std::string& pattern() const { return pattern_; }

 private:
  struct Token {
    enum class Kind : char { kLiteral, kAnyOne, kAnyRun } kind;
    char literal;
  };

  bool token_matches(const Token& token, char c) const;

  std::string pattern_;
  std::vector<Token> tokens_;
  bool fold_;
};

}  // namespace misrule
