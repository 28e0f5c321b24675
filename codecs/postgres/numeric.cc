#include "codecs/postgres/numeric.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

namespace misrule::codecs::postgres {

namespace {

constexpr std::size_t kGroup = 4;  // Decimal digits of one digit in base 10000.
constexpr std::size_t kDigitsMax = 16'383;
constexpr std::uint16_t kPositive = 0x0000;
constexpr std::uint16_t kNegative = 0x4000;
constexpr std::uint16_t kNotANumber = 0xC000;

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::string> encode_numeric(std::string_view decimal) {
  const bool negative = decimal.starts_with('-');
  if (negative) decimal.remove_prefix(1);
  const std::size_t point = std::min(decimal.find('.'), decimal.size());
  std::string whole(decimal.substr(0, point));
  std::string fraction(point < decimal.size() ? decimal.substr(point + 1) : std::string_view());
  if (whole.size() + fraction.size() == 0 || whole.size() + fraction.size() > kDigitsMax) {
    return std::nullopt;
  }
  if (!is_digits(whole) || !is_digits(fraction)) return std::nullopt;
  const std::size_t scale = fraction.size();
  whole.insert(0, (kGroup - whole.size() % kGroup) % kGroup, '0');
  fraction.append((kGroup - fraction.size() % kGroup) % kGroup, '0');
  const std::string digits = whole + fraction;
  std::vector<std::uint16_t> groups(digits.size() / kGroup);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const char* const at = digits.data() + i * kGroup;
    std::from_chars(at, at + kGroup, groups[i]);
  }
  auto weight = static_cast<std::int32_t>(whole.size() / kGroup) - 1;
  while (!groups.empty() && groups.back() == 0) groups.pop_back();
  while (!groups.empty() && groups.front() == 0) {
    groups.erase(groups.begin());
    --weight;
  }
  if (groups.empty()) weight = 0;
  std::string out;
  append_u16(out, static_cast<std::uint16_t>(groups.size()));
  append_u16(out, static_cast<std::uint16_t>(weight));
  append_u16(out, negative && !groups.empty() ? kNegative : kPositive);
  append_u16(out, static_cast<std::uint16_t>(scale));
  for (const std::uint16_t group : groups) append_u16(out, group);
  return out;
}

std::optional<std::string> numeric_text(ByteView bytes) {
  ByteReader reader(bytes);
  const std::uint16_t count = reader.read_u16();
  const std::int16_t weight = reader.read_i16();
  const std::uint16_t sign = reader.read_u16();
  const std::uint16_t scale = reader.read_u16();
  if (sign == kNotANumber) return "NaN";
  if (!reader.ok() || (sign != kPositive && sign != kNegative)) return std::nullopt;
  if (scale > kDigitsMax || reader.rest().size() != std::size_t{count} * 2) return std::nullopt;
  std::string digits;
  for (std::uint16_t i = 0; i < count; ++i) {
    const std::uint16_t group = reader.read_u16();
    if (group > 9999) return std::nullopt;
    digits += fmt::format("{:04}", group);
  }
  // The point stands behind weight + 1 groups, which may lie before or behind the digits.
  const std::int32_t before = (static_cast<std::int32_t>(weight) + 1) * 4;
  if (before < 0) digits.insert(0, static_cast<std::size_t>(-before), '0');
  const auto point = static_cast<std::size_t>(std::max(before, 0));
  if (digits.size() < point + scale) digits.append(point + scale - digits.size(), '0');
  std::string whole = digits.substr(0, point);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.empty()) whole = "0";
  std::string text = (sign == kNegative ? "-" : "") + whole;
  return scale == 0 ? text : text + "." + digits.substr(point, scale);
}

}  // namespace misrule::codecs::postgres
