// UTF-8 in and out, look-ups in the tables, and quoting.

#include "spec/starlark/syntax/unicode.h"

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/syntax/unicode_tables.h"

namespace misrule::star {
namespace {

using tables::CaseRange;
using tables::CodeRange;

bool contains(const CodeRange* ranges, std::size_t count, char32_t point) {
  const CodeRange* end = ranges + count;
  const CodeRange* found = std::lower_bound(
      ranges, end, point, [](const CodeRange& range, char32_t p) { return range.last < p; });
  return found != end && found->first <= point;
}

char32_t map_case(const CaseRange* ranges, std::size_t count, char32_t point) {
  const CaseRange* end = ranges + count;
  const CaseRange* found = std::lower_bound(
      ranges, end, point, [](const CaseRange& range, char32_t p) { return range.last < p; });
  if (found == end || found->first > point) return point;
  if ((point - found->first) % found->stride != 0) return point;
  return static_cast<char32_t>(static_cast<std::int32_t>(point) + found->delta);
}

std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

char32_t least_of(std::size_t size) {
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  return kLeast[size];
}

}  // namespace

Decoded decode_utf8(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = length_of(lead);
  if (size == 1) return {.point = lead, .size = 1, .valid = true};
  if (size == 0 || text.size() < size) return {};
  char32_t point = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80U) return {};
    point = (point << 6) | (byte & 0x3FU);
  }
  const bool surrogate = point >= 0xD800 && point < 0xE000;
  if (point < least_of(size) || surrogate || point > 0x10FFFF) return {};
  return {.point = point, .size = size, .valid = true};
}

void append_utf8(std::string& out, char32_t point) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

std::string sanitize_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    append_utf8(out, next.point);
    text.remove_prefix(next.size);
  }
  return out;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    if (!next.valid) return false;
    text.remove_prefix(next.size);
  }
  return true;
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(decode_utf8(text).size);
  return count;
}

bool is_letter(char32_t p) {
  if (p < 0x80) return (p >= 'a' && p <= 'z') || (p >= 'A' && p <= 'Z');
  return contains(tables::kLetters, tables::kLettersCount, p);
}
bool is_digit(char32_t p) { return contains(tables::kDigits, tables::kDigitsCount, p); }
bool is_space(char32_t p) { return contains(tables::kSpaces, tables::kSpacesCount, p); }
bool is_printable(char32_t p) {
  if (p < 0x7F) return p >= 0x20;
  return contains(tables::kPrintables, tables::kPrintablesCount, p);
}
bool is_upper(char32_t p) { return contains(tables::kUppers, tables::kUppersCount, p); }
bool is_lower(char32_t p) { return contains(tables::kLowers, tables::kLowersCount, p); }
bool is_title(char32_t p) { return contains(tables::kTitles, tables::kTitlesCount, p); }
char32_t to_upper(char32_t p) { return map_case(tables::kToUpper, tables::kToUpperCount, p); }
char32_t to_lower(char32_t p) { return map_case(tables::kToLower, tables::kToLowerCount, p); }
char32_t to_title(char32_t p) { return map_case(tables::kToTitle, tables::kToTitleCount, p); }

namespace {

void append_escaped(std::string& out, const Decoded& next, std::string_view raw) {
  constexpr std::string_view kControls = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kNames = "abfnrtv\\\"";
  const std::size_t named = next.point < 0x80 && next.point != 0
                                ? kControls.find(static_cast<char>(next.point))
                                : std::string_view::npos;
  if (named != std::string_view::npos) {
    out.push_back('\\');
    out.push_back(kNames[named]);
  } else if (!next.valid) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(raw[0]));
  } else if (is_printable(next.point)) {
    out.append(raw);
  } else if (next.point < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned>(next.point));
  } else if (next.point < 0x10000) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(next.point));
  } else {
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", static_cast<unsigned>(next.point));
  }
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    append_escaped(out, next, text.substr(0, next.size));
    text.remove_prefix(next.size);
  }
  out.push_back('"');
}

}  // namespace misrule::star
