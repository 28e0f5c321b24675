#include "codecs/http/field_lines.h"

#include "codecs/http/head_fields.h"

namespace misrule::codecs::http {

FieldLines::FieldLines(ByteView head) : left_(head) { left_.remove_prefix(head.find("\r\n") + 2); }

std::optional<FieldLine> FieldLines::next() {
  const std::size_t end = left_.find("\r\n");
  if (end == 0 || end == ByteView::npos) return std::nullopt;
  const ByteView line = left_.substr(0, end);
  const std::size_t colon = line.find(':');
  ByteView value = line.substr(std::min(colon + 1, line.size()));
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  const FieldLine found = {
      .line = left_.substr(0, end + 2), .name = line.substr(0, colon), .value = value};
  left_.remove_prefix(end + 2);
  return found;
}

std::optional<ByteView> find_field(ByteView head, std::string_view name) {
  FieldLines lines(head);
  while (const auto line = lines.next()) {
    if (equal_without_case(line->name, name)) return line->value;
  }
  return std::nullopt;
}

}  // namespace misrule::codecs::http
