#include "cli/duration.h"

#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace misrule::cli {

namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};

constexpr std::array kUnits = {
    Unit{.name = "us", .nanoseconds = 1e3}, Unit{.name = "ms", .nanoseconds = 1e6},
    Unit{.name = "s", .nanoseconds = 1e9}, Unit{.name = "m", .nanoseconds = 60e9},
    Unit{.name = "h", .nanoseconds = 3600e9}};
constexpr double kNanosecondsMax = 24.0 * 365 * 3600e9;

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit_name(end, text.data() + text.size());
  for (const Unit& unit : kUnits) {
    if (problem != std::errc() || unit.name != unit_name) continue;
    const double nanoseconds = number * unit.nanoseconds;
    if (!(nanoseconds >= 1 && nanoseconds <= kNanosecondsMax)) break;  // Not a number, too.
    return Duration(static_cast<Duration::rep>(nanoseconds));
  }
  return fail(
      Code::kInvalid,
      fmt::format("'{}' is no duration: a positive number and a unit, as in 500ms, 30s, 2m", text));
}

}  // namespace misrule::cli
