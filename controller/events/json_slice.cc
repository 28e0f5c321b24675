#include "controller/events/json_slice.h"

#include <algorithm>

namespace misrule::controller {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Behind the closing quote of the string that starts at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

/// Behind the value that starts at `at`: at the comma or bracket that follows it.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
    if (c == '}' || c == ']') --depth;
    ++at;
  }
  return at;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<JsonMember> slice_json(std::string_view text) {
  std::vector<JsonMember> members;
  std::size_t at = skip_blanks(text, 0);
  const bool object = at < text.size() && text[at] == '{';
  at = skip_blanks(text, at + 1);
  while (at < text.size() && text[at] != '}' && text[at] != ']') {
    JsonMember member;
    if (object) {
      const std::size_t key_end = end_of_string(text, at);
      member.key = text.substr(at, key_end - at);
      at = skip_blanks(text, skip_blanks(text, key_end) + 1);  // Over the colon.
    }
    const std::size_t end = std::max(end_of_value(text, at), at);
    member.value = trimmed(text.substr(std::min(at, text.size()), end - at));
    members.push_back(member);
    if (end >= text.size() || text[end] != ',') break;
    at = skip_blanks(text, end + 1);
  }
  return members;
}

std::string compact_json(std::string_view text) {
  std::string compact;
  compact.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      const std::size_t end = end_of_string(text, at);
      compact.append(text.substr(at, end - at));
      at = end;
      continue;
    }
    if (!is_blank(text[at])) compact.push_back(text[at]);
    ++at;
  }
  return compact;
}

}  // namespace misrule::controller
