#pragma once

// The words of the language.

#include <cstdint>
#include <string_view>

#include "spec/starlark/value.h"

namespace misrule::star {

enum class Tok : std::uint8_t {
  kEof,
  kNewline,
  kIndent,
  kOutdent,
  kName,
  kInt,
  kFloat,
  kString,
  kBytes,
  kReserved,
  kAnd,
  kBreak,
  kContinue,
  kDef,
  kElif,
  kElse,
  kFor,
  kIf,
  kIn,
  kLambda,
  kLoad,
  kNot,
  kOr,
  kPass,
  kReturn,
  kWhile,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kSlashSlash,
  kPercent,
  kAmp,
  kPipe,
  kCaret,
  kLess2,
  kGreater2,
  kTilde,
  kStarStar,
  kDot,
  kComma,
  kAssign,
  kSemi,
  kColon,
  kLparen,
  kRparen,
  kLbracket,
  kRbracket,
  kLbrace,
  kRbrace,
  kLess,
  kGreater,
  kGreaterEqual,
  kLessEqual,
  kEqual,
  kNotEqual,
  kPlusAssign,
  kMinusAssign,
  kStarAssign,
  kSlashAssign,
  kSlashSlashAssign,
  kPercentAssign,
  kAmpAssign,
  kPipeAssign,
  kCaretAssign,
  kLess2Assign,
  kGreater2Assign,
};

struct Token {
  Tok kind = Tok::kEof;
  std::uint32_t lo = 0;
  std::uint32_t hi = 0;
  Value value = {};  ///< Of a literal.
};

/// As messages name it: "identifier", "','", "end of file".
std::string_view describe(Tok kind);
/// The keyword or reserved word that `name` is, or kName.
Tok keyword(std::string_view name);

}  // namespace misrule::star
