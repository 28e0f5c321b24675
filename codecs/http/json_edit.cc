#include "codecs/http/json_edit.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "codecs/http/json_scan.h"

namespace misrule::codecs::http {
namespace {

void append_json(std::string& out, const Value& value);

void append_text(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

struct Appender {
  std::string& out;

  void operator()(std::monostate) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  void operator()(double value) const {
    out += std::isfinite(value) ? fmt::format("{}", value) : "null";
  }
  void operator()(const std::string& value) const { append_text(out, value); }
  void operator()(const ValueList& values) const {
    out.push_back('[');
    for (const Value& value : values) {
      if (&value != &values.front()) out.push_back(',');
      append_json(out, value);
    }
    out.push_back(']');
  }
  void operator()(const ValueMap& members) const {
    out.push_back('{');
    for (const auto& member : members) {
      if (&member != &members.front()) out.push_back(',');
      append_text(out, member.first);
      out.push_back(':');
      append_json(out, member.second);
    }
    out.push_back('}');
  }
};

// Values are as deep as a rule's author wrote them.
void append_json(std::string& out, const Value& value) { std::visit(Appender{out}, value.held); }

struct Replacement {
  JsonSpan span;
  std::string text;
};

std::string replaced(std::string_view document, const std::vector<Replacement>& replacements) {
  std::string out;
  std::size_t at = 0;
  for (const auto& [span, text] : replacements) {
    out += document.substr(at, span.begin - at);
    out += text;
    at = span.end;
  }
  out += document.substr(at);
  return out;
}

}  // namespace

std::string json_text(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::expected<std::string, std::string> edit_json(std::string_view document,
                                                  const ValueMap& edits) {
  std::vector<Replacement> replacements;
  for (const auto& [place, value] : edits) {
    const auto path = parse_json_path(place);
    if (!path) return std::unexpected(path.error().what);
    const auto found = find_json(document, *path);
    if (!found) return std::unexpected("the body is no JSON document");
    if (found->empty()) return std::unexpected(fmt::format("the body has no {}", place));
    for (const JsonSpan& span : *found) replacements.push_back({span, json_text(value)});
  }
  std::ranges::sort(replacements, {}, [](const Replacement& one) { return one.span.begin; });
  for (std::size_t i = 1; i < replacements.size(); ++i) {
    if (replacements[i].span.begin < replacements[i - 1].span.end) {
      return std::unexpected("two of the places lie in each other");
    }
  }
  return replaced(document, replacements);
}

}  // namespace misrule::codecs::http
