#include "codecs/postgres/fields.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace misrule::codecs::postgres {

std::string ErrorFields::as_text() const {
  return fmt::format("{} {}: {}", severity, code, message);
}

ErrorFields read_error(ByteView head) {
  ErrorFields fields;
  ByteReader reader(head);
  while (reader.ok() && !reader.at_end()) {
    const auto kind = static_cast<char>(reader.read_u8());
    if (kind == '\0') break;
    const ByteView value = reader.read_cstring();
    if (kind == 'V' || (kind == 'S' && fields.severity.empty())) fields.severity = value;
    if (kind == 'C') fields.code = value;
    if (kind == 'M') fields.message = value;
  }
  return fields;
}

std::int64_t rows_of_tag(std::string_view tag) {
  const std::size_t blank = tag.rfind(' ');
  if (blank == std::string_view::npos) return -1;
  std::int64_t rows = -1;
  const char* const end = tag.data() + tag.size();
  const auto read = std::from_chars(tag.data() + blank + 1, end, rows);
  return read.ec == std::errc() && read.ptr == end ? rows : -1;
}

std::string_view read_text(ByteView head) { return head.substr(0, head.find('\0')); }

std::optional<Target> read_target(ByteView head) {
  if (head.empty() || (head.front() != 'S' && head.front() != 'P')) return std::nullopt;
  return Target{.is_portal = head.front() == 'P', .name = read_text(head.substr(1))};
}

std::optional<TwoTexts> read_two_texts(ByteView head) {
  const std::size_t end = head.find('\0');
  if (end == ByteView::npos) return std::nullopt;
  return TwoTexts{.first = head.substr(0, end), .second = read_text(head.substr(end + 1))};
}

std::string_view read_behind_two_texts(ByteView head) {
  ByteReader reader(head);
  reader.read_cstring();
  reader.read_cstring();
  return reader.ok() ? reader.rest() : std::string_view();
}

std::string_view read_parameter_types(ByteView head) {
  ByteReader reader(read_behind_two_texts(head));
  const std::size_t count = reader.read_u16();
  return reader.ok() && reader.rest().size() == count * 4 ? reader.rest() : std::string_view();
}

std::uint32_t read_rows_max(ByteView head) {
  ByteReader reader(head);
  reader.read_cstring();
  return reader.read_u32();
}

}  // namespace misrule::codecs::postgres
