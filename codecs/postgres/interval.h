#pragma once

// PostgreSQL's interval: months, days and microseconds, which do not turn into each other.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace misrule::codecs::postgres {

struct Interval {
  std::int64_t microseconds = 0;
  std::int32_t days = 0;
  std::int32_t months = 0;

  bool operator==(const Interval&) const = default;
};

/// "1 year 2 mons -3 days 04:05:06.5", "90 minutes ago", "P1Y2M3DT4H5M6.5S".
std::optional<Interval> parse_interval(std::string_view text);
/// As the server writes it by default.
std::string interval_text(const Interval& interval);

}  // namespace misrule::codecs::postgres
