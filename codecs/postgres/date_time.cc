#include "codecs/postgres/date_time.h"

#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace misrule::codecs::postgres {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr sys_days kEpoch = sys_days(std::chrono::year(2000) / 1 / 1);
constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr std::int64_t kPastMost = INT64_MIN;
constexpr std::int64_t kFutureMost = INT64_MAX;

/// Cuts a number of so many digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  const char* const end = text.data() + digits;
  const auto read = std::from_chars(end - digits, end, number);
  if (read.ec != std::errc() || read.ptr != end || number < 0) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<sys_days> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const year_month_day date = std::chrono::year(*year) / *month / *day;
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

/// Behind a point; up to six digits.
std::optional<microseconds> take_fraction(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || digits > 6) return std::nullopt;
  auto fraction = take_number(text, digits);
  for (; digits < 6; ++digits) *fraction *= 10;
  return microseconds(*fraction);
}

std::optional<microseconds> take_time(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  microseconds time = hours(*hour) + minutes(*minute);
  if (!take(text, ':')) return time;
  const auto second = take_number(text, 2);
  if (!second || *second > 60) return std::nullopt;
  time += seconds(*second);
  if (!take(text, '.')) return time;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  return time + *fraction;
}

/// How far the zone is ahead of UTC; zero if none stands there.
std::optional<microseconds> take_zone(std::string_view& text) {
  if (text.empty() || take(text, 'Z')) return microseconds(0);
  const bool behind = text.starts_with('-');
  if (!behind && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 15) return std::nullopt;
  take(text, ':');
  const auto minute = text.empty() ? std::optional(0) : take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const microseconds ahead = hours(*hour) + minutes(*minute);
  return behind ? -ahead : ahead;
}

}  // namespace

std::optional<std::int32_t> parse_date(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !text.empty()) return std::nullopt;
  return static_cast<std::int32_t>((*date - kEpoch).count());
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  const auto date = take_date(text);
  if (!date) return std::nullopt;
  microseconds since = *date - kEpoch;
  if (take(text, ' ') || take(text, 'T')) {
    const auto time = take_time(text);
    if (!time) return std::nullopt;
    const auto zone = take_zone(text);
    if (!zone) return std::nullopt;
    since += *time - *zone;
  }
  return text.empty() ? std::optional(since.count()) : std::nullopt;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  if (text == "24:00:00" || text == "24:00") return kMicrosPerDay;
  const auto time = take_time(text);
  return time && text.empty() ? std::optional(time->count()) : std::nullopt;
}

std::optional<TimeTz> parse_time_tz(std::string_view text) {
  const auto time = take_time(text);
  if (!time) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  const std::int64_t ahead = *zone / seconds(1);
  return TimeTz{.microseconds = time->count(), .seconds_west = static_cast<std::int32_t>(-ahead)};
}

std::string date_text(std::int32_t count) {
  if (count == INT32_MAX) return "infinity";
  if (count == INT32_MIN) return "-infinity";
  const year_month_day date(kEpoch + days(count));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string timestamp_text(std::int64_t count) {
  if (count == kFutureMost) return "infinity";
  if (count == kPastMost) return "-infinity";
  std::int64_t day = count / kMicrosPerDay;
  std::int64_t rest = count % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --day;
  }
  return date_text(static_cast<std::int32_t>(day)) + " " + time_text(rest);
}

std::string time_text(std::int64_t count) {
  const std::int64_t second = count / 1'000'000;
  std::string text = fmt::format("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
  if (count % 1'000'000 == 0) return text;
  text += fmt::format(".{:06}", count % 1'000'000);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

std::string time_tz_text(const TimeTz& time) {
  const std::int64_t west = time.seconds_west;
  const std::int64_t away = west < 0 ? -west : west;
  std::string text = time_text(time.microseconds);
  text += fmt::format("{}{:02}", west > 0 ? '-' : '+', away / 3600);
  if (away % 3600 != 0) text += fmt::format(":{:02}", away / 60 % 60);
  if (away % 60 != 0) text += fmt::format(":{:02}", away % 60);
  return text;
}

}  // namespace misrule::codecs::postgres
