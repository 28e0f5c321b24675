#include "base/secrets.h"

#include <algorithm>
#include <cstddef>

namespace misrule {
namespace {

constexpr std::string_view kWord = "password";

std::size_t find_word(std::string_view text, std::size_t from) {
  const auto same = [](char a, char b) { return (a | 0x20) == b; };
  const auto it = std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(),
                              kWord.begin(), kWord.end(), same);
  return it == text.end() ? std::string_view::npos
                          : static_cast<std::size_t>(it - text.begin()) + kWord.size();
}

/// Where the literal that begins at `open` (a quote) ends, after its quote; doubled quotes belong
/// to it.
std::size_t quoted_end(std::string_view text, std::size_t open) {
  for (std::size_t at = open + 1; at < text.size(); ++at) {
    if (text[at] != '\'') continue;
    if (at + 1 < text.size() && text[at + 1] == '\'') {
      ++at;
    } else {
      return at + 1;
    }
  }
  return text.size();
}

/// The same of $tag$...$tag$; `open` itself where no such literal begins ($1 is a parameter).
std::size_t dollar_quoted_end(std::string_view text, std::size_t open) {
  const std::size_t second = text.find('$', open + 1);
  if (second == std::string_view::npos) return open;
  const std::string_view tag = text.substr(open, second + 1 - open);
  const auto is_blank = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == ';'; };
  if (std::ranges::any_of(tag, is_blank)) return open;
  const std::size_t close = text.find(tag, second + 1);
  return close == std::string_view::npos ? text.size() : close + tag.size();
}

std::size_t literal_end(std::string_view text, std::size_t open) {
  if (text[open] == '\'') return quoted_end(text, open);
  return text[open] == '$' ? dollar_quoted_end(text, open) : open;
}

}  // namespace

std::string without_passwords(std::string_view sql) {
  std::string shown;
  std::size_t copied = 0;
  for (std::size_t at = find_word(sql, 0); at != std::string_view::npos; at = find_word(sql, at)) {
    const std::size_t open = sql.find_first_not_of(" \t\r\n=Ee", at);
    const std::size_t end = open == std::string_view::npos ? open : literal_end(sql, open);
    if (end == open) continue;
    shown.append(sql, copied, open - copied).append("'***'");
    at = copied = end;
  }
  return shown.append(sql.substr(copied));
}

}  // namespace misrule
