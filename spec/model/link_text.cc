#include "spec/model/link_text.h"

#include <chrono>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/duration_text.h"
#include "spec/model/rules.pb.h"

namespace misrule::model {

std::string link_text(const LinkFault& fault) {
  std::vector<std::string> parts;
  const auto time = [&parts](bool said, std::string_view name, std::uint64_t us) {
    if (said)
      parts.push_back(fmt::format("{}={}", name, duration_text(std::chrono::microseconds(us))));
  };
  const auto bytes = [&parts](bool said, std::string_view name, std::uint64_t count) {
    if (said) parts.push_back(fmt::format("{}={}", name, count));
  };
  time(fault.has_latency_us(), "latency", fault.latency_us());
  time(fault.has_jitter_us(), "jitter", fault.jitter_us());
  if (fault.has_bandwidth()) parts.push_back(fmt::format("bandwidth={} B/s", fault.bandwidth()));
  bytes(fault.has_slice_bytes(), "slice", fault.slice_bytes());
  time(fault.has_slice_delay_us(), "slice_delay", fault.slice_delay_us());
  bytes(fault.has_close_after(), "close_after", fault.close_after());
  bytes(fault.has_reset_after(), "reset_after", fault.reset_after());
  time(fault.has_slow_close_us(), "slow_close", fault.slow_close_us());
  if (fault.blackhole()) parts.emplace_back("blackhole");
  if (fault.stall()) parts.emplace_back("stall");
  if (fault.half_close()) parts.emplace_back("half_close");
  if (fault.has_direction()) parts.push_back(fault.direction());
  return fmt::format("link({})", fmt::join(parts, ", "));
}

}  // namespace misrule::model
