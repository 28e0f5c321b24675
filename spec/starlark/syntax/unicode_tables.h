#pragma once

// The tables behind syntax/unicode.h; generate_unicode.py writes them.

#include <cstddef>
#include <cstdint>

namespace misrule::star::tables {

struct CodeRange {
  char32_t first;
  char32_t last;
};
/// Every `stride`-th code point from first to last changes by delta.
struct CaseRange {
  char32_t first;
  char32_t last;
  std::uint32_t stride;
  std::int32_t delta;
};

extern const CodeRange kLetters[];
extern const std::size_t kLettersCount;
extern const CodeRange kDigits[];
extern const std::size_t kDigitsCount;
extern const CodeRange kSpaces[];
extern const std::size_t kSpacesCount;
extern const CodeRange kPrintables[];
extern const std::size_t kPrintablesCount;
extern const CodeRange kUppers[];
extern const std::size_t kUppersCount;
extern const CodeRange kLowers[];
extern const std::size_t kLowersCount;
extern const CodeRange kTitles[];
extern const std::size_t kTitlesCount;
extern const CaseRange kToUpper[];
extern const std::size_t kToUpperCount;
extern const CaseRange kToLower[];
extern const std::size_t kToLowerCount;
extern const CaseRange kToTitle[];
extern const std::size_t kToTitleCount;

}  // namespace misrule::star::tables
