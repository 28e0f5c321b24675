#include "codecs/postgres/interval.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>

#include "codecs/postgres/date_time.h"

namespace misrule::codecs::postgres {

namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kWholeMax = 100'000'000;  // Of any unit: no sum overflows.
constexpr int kMonthsOfYear = 12;

/// What one of a unit is: exactly one of them is not zero.
struct Unit {
  std::string_view name = {};  ///< Longer spellings begin so.
  Interval one = {};
};

constexpr std::array<Unit, 12> kUnits = {{
    {"microsecond", {.microseconds = 1}},
    {"us", {.microseconds = 1}},
    {"millisecond", {.microseconds = 1'000}},
    {"ms", {.microseconds = 1'000}},
    {"sec", {.microseconds = kSecond}},
    {"min", {.microseconds = kMinute}},
    {"hour", {.microseconds = kHour}},
    {"day", {.days = 1}},
    {"week", {.days = 7}},
    {"mon", {.months = 1}},
    {"year", {.months = kMonthsOfYear}},
    {"decade", {.months = 10 * kMonthsOfYear}},
}};

/// Letters of ISO 8601: those of days, and those behind the T.
constexpr std::array<Unit, 4> kDateLetters = {{{"Y", {.months = kMonthsOfYear}},
                                               {"M", {.months = 1}},
                                               {"W", {.days = 7}},
                                               {"D", {.days = 1}}}};
constexpr std::array<Unit, 3> kTimeLetters = {{{"H", {.microseconds = kHour}},
                                               {"M", {.microseconds = kMinute}},
                                               {"S", {.microseconds = kSecond}}}};

struct Amount {
  std::int64_t whole = 0;
  double fraction = 0;  ///< Of the same sign.
};

std::string_view take_while(std::string_view& text, auto belongs) {
  std::size_t size = 0;
  while (size < text.size() && belongs(text[size])) ++size;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

void skip_blanks(std::string_view& text) {
  take_while(text, [](char c) { return c == ' '; });
}

std::optional<Amount> as_amount(std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative || number.starts_with('+')) number.remove_prefix(1);
  const std::size_t point = std::min(number.find('.'), number.size());
  Amount amount;
  const char* const end = number.data() + number.size();
  const char* const whole_end = end - (number.size() - point);
  const auto read = std::from_chars(end - number.size(), whole_end, amount.whole);
  if (read.ec != std::errc() || read.ptr != whole_end || amount.whole < 0 ||
      amount.whole > kWholeMax) {
    return std::nullopt;
  }
  if (point < number.size()) {
    const std::string digits = "0" + std::string(number.substr(point));
    const auto rest =
        std::from_chars(digits.c_str(), digits.c_str() + digits.size(), amount.fraction);
    if (rest.ec != std::errc() || *rest.ptr != '\0') return std::nullopt;
  }
  return negative ? Amount{-amount.whole, -amount.fraction} : amount;
}

/// Fractions are of what has a length: hours and less.
bool add(Interval& sum, const Amount& amount, const Interval& one) {
  if (amount.fraction != 0 && one.microseconds == 0) return false;
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const std::int64_t days = sum.days + amount.whole * one.days;
  const std::int64_t months = sum.months + amount.whole * one.months;
  if (std::abs(days) > kMost || std::abs(months) > kMost) return false;
  sum.days = static_cast<std::int32_t>(days);
  sum.months = static_cast<std::int32_t>(months);
  const std::int64_t part = std::llround(amount.fraction * static_cast<double>(one.microseconds));
  std::int64_t more = 0;
  return !__builtin_mul_overflow(amount.whole, one.microseconds, &more) &&
         !__builtin_add_overflow(more, part, &more) &&
         !__builtin_add_overflow(sum.microseconds, more, &sum.microseconds);
}

/// "04:05:06.5", with a sign.
bool add_clock(Interval& sum, std::string_view clock) {
  const bool negative = clock.starts_with('-');
  if (negative || clock.starts_with('+')) clock.remove_prefix(1);
  const std::size_t colon = clock.find(':');
  const auto hours = as_amount(clock.substr(0, colon));
  if (!hours || hours->fraction != 0) return false;
  const auto rest = parse_time("00" + std::string(clock.substr(colon)));
  if (!rest) return false;
  const std::int64_t micros = hours->whole * kHour + *rest;
  return !__builtin_add_overflow(sum.microseconds, negative ? -micros : micros, &sum.microseconds);
}

const Unit* unit_of(std::string_view word) {
  for (const Unit& unit : kUnits) {
    if (!word.starts_with(unit.name)) continue;
    const std::string_view ending = word.substr(unit.name.size());
    const bool is_long = unit.name == "sec"   ? ending == "ond" || ending == "onds"
                         : unit.name == "min" ? ending == "ute" || ending == "utes"
                         : unit.name == "mon" ? ending == "th" || ending == "ths"
                                              : false;
    if (ending.empty() || ending == "s" || is_long) return &unit;
  }
  return nullptr;
}

bool is_of_number(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == ':' || c == '-' || c == '+';
}

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

std::optional<Interval> negated(const Interval& interval) {
  if (interval.microseconds == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
  return Interval{
      .microseconds = -interval.microseconds, .days = -interval.days, .months = -interval.months};
}

std::optional<Interval> parse_words(std::string_view text) {
  Interval sum;
  bool is_any = false;
  if (text.starts_with('@')) text.remove_prefix(1);
  for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
    if (text == "ago") return is_any ? negated(sum) : std::nullopt;
    const std::string_view number = take_while(text, is_of_number);
    is_any = true;
    if (number.contains(':')) {
      if (!add_clock(sum, number)) return std::nullopt;
      continue;
    }
    const auto amount = as_amount(number);
    skip_blanks(text);
    const Unit* const unit = unit_of(take_while(text, is_letter));
    if (!amount || unit == nullptr || !add(sum, *amount, unit->one)) return std::nullopt;
  }
  return is_any ? std::optional(sum) : std::nullopt;
}

bool add_lettered(Interval& sum, std::string_view& text, const auto& letters) {
  const auto amount = as_amount(take_while(text, is_of_number));
  if (!amount || text.empty()) return false;
  for (const Unit& letter : letters) {
    if (!text.starts_with(letter.name)) continue;
    text.remove_prefix(1);
    return add(sum, *amount, letter.one);
  }
  return false;
}

/// Behind the P.
std::optional<Interval> parse_iso(std::string_view text) {
  Interval sum;
  if (text.empty() || text.ends_with('T')) return std::nullopt;
  bool is_time = false;
  while (!text.empty()) {
    if (!is_time && text.starts_with('T')) {
      is_time = true;
      text.remove_prefix(1);
    }
    const bool is_added =
        is_time ? add_lettered(sum, text, kTimeLetters) : add_lettered(sum, text, kDateLetters);
    if (!is_added) return std::nullopt;
  }
  return sum;
}

/// A part that is not zero; what stands behind a negative one says its plus.
void append_part(std::string& out, std::int64_t count, std::string_view unit, bool& is_before) {
  if (count == 0) return;
  if (!out.empty()) out += ' ';
  out += fmt::format("{}{} {}{}", is_before && count > 0 ? "+" : "", count, unit,
                     count == 1 ? "" : "s");
  is_before = count < 0;
}

}  // namespace

std::optional<Interval> parse_interval(std::string_view text) {
  return text.starts_with('P') ? parse_iso(text.substr(1)) : parse_words(text);
}

std::string interval_text(const Interval& interval) {
  std::string out;
  bool is_before = false;
  append_part(out, interval.months / kMonthsOfYear, "year", is_before);
  append_part(out, interval.months % kMonthsOfYear, "mon", is_before);
  append_part(out, interval.days, "day", is_before);
  if (!out.empty() && interval.microseconds == 0) return out;
  const bool negative = interval.microseconds < 0;
  const auto magnitude = negative
                             ? std::uint64_t{0} - static_cast<std::uint64_t>(interval.microseconds)
                             : static_cast<std::uint64_t>(interval.microseconds);
  const std::uint64_t hours = magnitude / static_cast<std::uint64_t>(kHour);
  const auto rest = static_cast<std::int64_t>(magnitude % static_cast<std::uint64_t>(kHour));
  if (!out.empty()) out += ' ';
  const std::string_view sign = negative ? "-" : is_before ? "+" : "";
  return out + fmt::format("{}{:02}{}", sign, hours, time_text(rest).substr(2));
}

}  // namespace misrule::codecs::postgres
