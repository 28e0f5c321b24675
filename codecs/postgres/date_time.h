#pragma once

// Dates and times as PostgreSQL counts them: from 2000-01-01, in days and microseconds.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace misrule::codecs::postgres {

/// "2026-11-21".
std::optional<std::int32_t> parse_date(std::string_view text);
/// "2026-11-21 09:30:00.25", with a T in between or without a time, with a zone ("Z", "+02:00").
std::optional<std::int64_t> parse_timestamp(std::string_view text);

/// "09:30:00.25", "24:00:00": microseconds of a day.
std::optional<std::int64_t> parse_time(std::string_view text);

/// A time of day, and how far its zone is behind UTC.
struct TimeTz {
  std::int64_t microseconds = 0;
  std::int32_t seconds_west = 0;
};
/// "09:30+02", "09:30:00Z"; without a zone it is UTC.
std::optional<TimeTz> parse_time_tz(std::string_view text);

std::string date_text(std::int32_t days);
/// Without a zone.
std::string timestamp_text(std::int64_t microseconds);
std::string time_text(std::int64_t microseconds);
std::string time_tz_text(const TimeTz& time);

}  // namespace misrule::codecs::postgres
