#include "controller/report/text.h"

#include <chrono>

#include <fmt/format.h>

#include "controller/events/utf8.h"

namespace misrule::controller {

namespace {

bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// U+0080 to U+009F: some terminals obey them as they do an escape.
bool starts_high_control(std::string_view text) {
  return text.size() > 1 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Blanks of any kind stay.
std::string without_controls(std::string_view text) {
  std::string out;
  const std::string clean = as_utf8(text);
  for (std::size_t at = 0; at < clean.size(); ++at) {
    if (starts_high_control(std::string_view(clean).substr(at))) {
      out += "·";
      ++at;
    } else if (is_control(clean[at]) && !is_blank(clean[at])) {
      out += "·";
    } else {
      out += clean[at];
    }
  }
  return out;
}

}  // namespace

std::size_t text_columns(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text) columns += starts_code_point(c) ? 1 : 0;
  return columns;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  if (text_columns(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  std::size_t seen = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    if (starts_code_point(text[end]) && seen++ == columns - 1) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string padded(std::string_view text, std::size_t columns) {
  std::string out(text);
  const std::size_t width = text_columns(text);
  if (width < columns) out.append(columns - width, ' ');
  return out;
}

std::string harmless(std::string_view text) {
  std::string out = without_controls(text);
  std::erase(out, '\r');
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : without_controls(text)) {
    if (!is_blank(c)) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string seconds_text(Duration duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  if (seconds < 0.01) return fmt::format("{:.1f} ms", seconds * 1000);
  return fmt::format("{:.2f} s", seconds);
}

std::string with_arrows(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with(" -> ")) {
      out += " → ";
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string Paint::wrapped(std::string_view code, std::string_view text) const {
  if (!color_ || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace misrule::controller
