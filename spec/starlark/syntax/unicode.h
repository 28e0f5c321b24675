#pragma once

// UTF-8 and what code points are: letters, digits, case. Strings of the language are bytes; these
// say what the bytes mean where that matters.

#include <cstddef>
#include <string>
#include <string_view>

namespace misrule::star {

inline constexpr char32_t kReplacement = 0xFFFD;

struct Decoded {
  char32_t point = kReplacement;  ///< U+FFFD for a byte that is no UTF-8.
  std::size_t size = 1;           ///< Bytes; 1 for such a byte.
  bool valid = false;
};

/// The code point at the front of `text`, which is not empty.
Decoded decode_utf8(std::string_view text);
void append_utf8(std::string& out, char32_t point);
/// Every byte that is no UTF-8 becomes U+FFFD.
std::string sanitize_utf8(std::string_view text);
bool is_valid_utf8(std::string_view text);
std::size_t count_code_points(std::string_view text);

bool is_letter(char32_t point);
bool is_digit(char32_t point);
bool is_space(char32_t point);
bool is_printable(char32_t point);
bool is_upper(char32_t point);
bool is_lower(char32_t point);
bool is_title(char32_t point);
char32_t to_upper(char32_t point);
char32_t to_lower(char32_t point);
char32_t to_title(char32_t point);

/// In double quotes, escaped as repr() shows it; bytes: as a bytes literal without the b.
void append_quoted(std::string& out, std::string_view text);

}  // namespace misrule::star
