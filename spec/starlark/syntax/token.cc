// Names of tokens, and which names are keywords.

#include "spec/starlark/syntax/token.h"

#include <algorithm>
#include <array>

namespace misrule::star {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Tok::kGreater2Assign) + 1> kNames =
    {
        "end of file",
        "newline",
        "indent",
        "outdent",
        "identifier",
        "int literal",
        "float literal",
        "string literal",
        "bytes literal",
        "reserved word",
        "and",
        "break",
        "continue",
        "def",
        "elif",
        "else",
        "for",
        "if",
        "in",
        "lambda",
        "load",
        "not",
        "or",
        "pass",
        "return",
        "while",
        "'+'",
        "'-'",
        "'*'",
        "'/'",
        "'//'",
        "'%'",
        "'&'",
        "'|'",
        "'^'",
        "'<<'",
        "'>>'",
        "'~'",
        "'**'",
        "'.'",
        "','",
        "'='",
        "';'",
        "':'",
        "'('",
        "')'",
        "'['",
        "']'",
        "'{'",
        "'}'",
        "'<'",
        "'>'",
        "'>='",
        "'<='",
        "'=='",
        "'!='",
        "'+='",
        "'-='",
        "'*='",
        "'/='",
        "'//='",
        "'%='",
        "'&='",
        "'|='",
        "'^='",
        "'<<='",
        "'>>='",
};

constexpr std::array<std::string_view, 16> kReservedWords = {
    "as",     "async",  "await", "class",    "del",   "except", "finally", "from",
    "global", "import", "is",    "nonlocal", "raise", "try",    "with",    "yield",
};

}  // namespace

std::string_view describe(Tok kind) { return kNames[static_cast<std::size_t>(kind)]; }

Tok keyword(std::string_view name) {
  if (name.size() > 8) return Tok::kName;
  const auto first = kNames.begin() + static_cast<std::ptrdiff_t>(Tok::kAnd);
  const auto last = kNames.begin() + static_cast<std::ptrdiff_t>(Tok::kWhile) + 1;
  const auto found = std::lower_bound(first, last, name);
  if (found != last && *found == name) return static_cast<Tok>(found - kNames.begin());
  const bool reserved = std::binary_search(kReservedWords.begin(), kReservedWords.end(), name);
  return reserved ? Tok::kReserved : Tok::kName;
}

}  // namespace misrule::star
