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

std::string date_text(std::int32_t days);
/// Without a zone.
std::string timestamp_text(std::int64_t microseconds);

}  // namespace misrule::codecs::postgres
