#include "proxy/net/event_text.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "base/secrets.h"

namespace misrule::proxy {

namespace {

constexpr std::size_t kShown = 2048;

/// How many bytes the UTF-8 sequence at the front has; 0 if it is none.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  const auto follows = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  if (!std::ranges::all_of(text.substr(1, length - 1), follows)) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : length;
}

/// Clients may speak any encoding; whoever reads events expects one.
std::string as_utf8(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    shown.append(length == 0 ? "\uFFFD" : text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return shown;
}

}  // namespace

std::string event_text(std::string_view text) {
  if (text.size() <= kShown) return as_utf8(without_passwords(text));
  std::size_t cut = kShown;
  // Not within a UTF-8 sequence.
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  std::string shown = as_utf8(without_passwords(text.substr(0, cut)));
  return shown.append(fmt::format("… ({} bytes more)", text.size() - cut));
}

}  // namespace misrule::proxy
