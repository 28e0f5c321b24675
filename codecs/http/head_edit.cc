#include "codecs/http/head_edit.h"

#include <fmt/format.h>

#include "codecs/http/field_lines.h"
#include "codecs/http/head_fields.h"
#include "codecs/http/json_edit.h"
#include "codecs/http/replies.h"

namespace misrule::codecs::http {

void HeadEdit::set(std::string_view name, std::string_view value) {
  std::string out = head_.substr(0, head_.find("\r\n") + 2);
  bool there = false;
  FieldLines lines(head_);
  while (const auto line = lines.next()) {
    if (!equal_without_case(line->name, name)) {
      out += line->line;
    } else if (!std::exchange(there, true)) {
      out += fmt::format("{}: {}\r\n", line->name, value);
    }
  }
  if (!there) out += fmt::format("{}: {}\r\n", name, value);
  head_ = std::move(out) + "\r\n";
}

void HeadEdit::remove(std::string_view name) {
  if (!find_field(head_, name).has_value()) return;
  std::string out = head_.substr(0, head_.find("\r\n") + 2);
  FieldLines lines(head_);
  while (const auto line = lines.next()) {
    if (!equal_without_case(line->name, name)) out += line->line;
  }
  head_ = std::move(out) + "\r\n";
}

void HeadEdit::apply(const ValueMap& fields) {
  for (const auto& [name, value] : fields) {
    if (value.is_null()) {
      remove(name);
    } else {
      set(name, field_text(value));
    }
  }
}

void HeadEdit::set_status(unsigned status) {
  constexpr std::size_t kVersionBytes = 8;
  const std::size_t end = head_.find("\r\n");
  head_.replace(kVersionBytes, end - kVersionBytes,
                fmt::format(" {} {}", status, reason_phrase(status)));
}

std::string field_text(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value.held)) return *text;
  return json_text(value);
}

}  // namespace misrule::codecs::http
