#include "proxy/net/event_text.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace misrule::proxy {

namespace {

constexpr std::size_t kShown = 2048;
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
std::size_t literal_end(std::string_view text, std::size_t open) {
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

/// ALTER ROLE r PASSWORD 'secret' -> ALTER ROLE r PASSWORD '***'.
std::string without_passwords(std::string_view text) {
  std::string shown;
  std::size_t copied = 0;
  for (std::size_t at = find_word(text, 0); at != std::string_view::npos;
       at = find_word(text, at)) {
    const std::size_t quote = text.find_first_not_of(" \t\r\n=Ee", at);
    if (quote == std::string_view::npos || text[quote] != '\'') continue;
    shown.append(text, copied, quote - copied).append("'***'");
    at = copied = literal_end(text, quote);
  }
  return shown.append(text.substr(copied));
}

}  // namespace

std::string event_text(std::string_view text) {
  if (text.size() <= kShown) return without_passwords(text);
  std::size_t cut = kShown;
  // Not within a UTF-8 sequence.
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  std::string shown = without_passwords(text.substr(0, cut));
  return shown.append(fmt::format("… ({} bytes more)", text.size() - cut));
}

}  // namespace misrule::proxy
