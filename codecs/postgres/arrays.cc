#include "codecs/postgres/arrays.h"

#include <algorithm>
#include <array>
#include <utility>

#include "codecs/postgres/values.h"

namespace misrule::codecs::postgres {

namespace {

constexpr std::uint32_t kNullLength = 0xffffffff;

/// pg_type's typarray and its type.
constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 22> kArrays = {{
    {199, kJson},    {1000, kBool},        {1001, kBytea},    {1003, kName},      {1005, kInt2},
    {1007, kInt4},   {1009, kText},        {1014, kBpchar},   {1015, kVarchar},   {1016, kInt8},
    {1021, kFloat4}, {1022, kFloat8},      {1028, kOid},      {1115, kTimestamp}, {1182, kDate},
    {1183, kTime},   {1185, kTimestampTz}, {1187, kInterval}, {1231, kNumeric},   {1270, kTimeTz},
    {2951, kUuid},   {3807, kJsonb},
}};

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

bool equals_null(std::string_view word) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : +c; };
  return std::ranges::equal(word, std::string_view("NULL"), {}, upper);
}

/// Behind the opening quote, past the closing one.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string element;
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return element;
    if (c == '\\') {
      if (text.empty()) return std::nullopt;
      c = text.front();
      text.remove_prefix(1);
    }
    element.push_back(c);
  }
  return std::nullopt;
}

/// Up to what ends it; not quoted, so blanks around it do not belong to it.
std::optional<std::optional<std::string>> take_bare(std::string_view& text) {
  std::string element;
  std::size_t kept = 0;  // An escaped blank at the end stays.
  bool is_escaped = false;
  while (!text.empty() && text.front() != ',' && text.front() != '}') {
    char c = text.front();
    if (c == '"' || c == '{') return std::nullopt;
    text.remove_prefix(1);
    const bool escapes = c == '\\';
    if (escapes) {
      if (text.empty()) return std::nullopt;
      c = text.front();
      text.remove_prefix(1);
      is_escaped = true;
    }
    element.push_back(c);
    if (escapes || !is_blank(c)) kept = element.size();
  }
  element.resize(kept);
  if (element.empty()) return std::nullopt;
  if (!is_escaped && equals_null(element)) return std::optional<std::string>();
  return std::optional(std::move(element));
}

std::optional<std::optional<std::string>> take_element(std::string_view& text) {
  skip_blanks(text);
  if (!text.starts_with('"')) return take_bare(text);
  text.remove_prefix(1);
  auto quoted = take_quoted(text);
  skip_blanks(text);
  if (!quoted) return std::nullopt;
  return quoted;
}

bool needs_quotes(std::string_view element) {
  return element.empty() || equals_null(element) || std::ranges::any_of(element, [](char c) {
           return is_blank(c) || std::string_view("\"\\{},").contains(c);
         });
}

}  // namespace

std::uint32_t element_type(std::uint32_t array) {
  const auto found = std::ranges::find(kArrays, array, &decltype(kArrays)::value_type::first);
  return found == kArrays.end() ? 0 : found->second;
}

std::optional<Elements> parse_array(std::string_view text) {
  skip_blanks(text);
  if (!text.starts_with('{')) return std::nullopt;
  text.remove_prefix(1);
  skip_blanks(text);
  Elements elements;
  const bool is_empty = text.starts_with('}');
  bool goes_on = !is_empty;
  while (goes_on) {
    auto element = take_element(text);
    if (!element || text.empty()) return std::nullopt;
    elements.push_back(*std::move(element));
    goes_on = text.front() == ',';
    if (!goes_on && text.front() != '}') return std::nullopt;
    if (goes_on) text.remove_prefix(1);
  }
  text.remove_prefix(1);
  skip_blanks(text);
  return text.empty() ? std::optional(std::move(elements)) : std::nullopt;
}

std::string array_text(const Elements& elements) {
  std::string out = "{";
  for (const auto& element : elements) {
    if (out.size() > 1) out += ',';
    if (!element) {
      out += "NULL";
      continue;
    }
    if (!needs_quotes(*element)) {
      out += *element;
      continue;
    }
    out += '"';
    for (const char c : *element) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

std::string encode_array(std::uint32_t element, const Elements& elements) {
  const bool has_nulls =
      std::ranges::any_of(elements, [](const auto& one) { return !one.has_value(); });
  std::string out;
  append_u32(out, elements.empty() ? 0 : 1);  // Dimensions.
  append_u32(out, has_nulls ? 1 : 0);
  append_u32(out, element);
  if (elements.empty()) return out;
  append_u32(out, static_cast<std::uint32_t>(elements.size()));
  append_u32(out, 1);  // The first index.
  for (const auto& one : elements) {
    append_u32(out, one ? static_cast<std::uint32_t>(one->size()) : kNullLength);
    if (one) out += *one;
  }
  return out;
}

std::optional<Elements> decode_array(std::uint32_t element, ByteView bytes) {
  ByteReader reader(bytes);
  const std::uint32_t dimensions = reader.read_u32();
  reader.read_u32();
  if (reader.read_u32() != element || !reader.ok() || dimensions > 1) return std::nullopt;
  Elements elements;
  if (dimensions == 0) return reader.at_end() ? std::optional(elements) : std::nullopt;
  const std::uint32_t count = reader.read_u32();
  reader.read_u32();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint32_t length = reader.read_u32();
    if (!reader.ok()) return std::nullopt;
    elements.push_back(length == kNullLength
                           ? std::nullopt
                           : std::optional(std::string(reader.read_bytes(length))));
  }
  return reader.ok() && reader.at_end() ? std::optional(std::move(elements)) : std::nullopt;
}

}  // namespace misrule::codecs::postgres
