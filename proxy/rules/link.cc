#include "proxy/rules/link.h"

#include <algorithm>
#include <chrono>

#include "spec/model/rules.pb.h"

namespace misrule::rules {
namespace {

using std::chrono::microseconds;

std::uint64_t narrower(std::uint64_t a, std::uint64_t b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

std::optional<std::uint64_t> sooner(std::optional<std::uint64_t> a,
                                    std::optional<std::uint64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

LinkShape shape_of(const model::LinkFault& fault) {
  LinkShape shape{.latency = microseconds(fault.latency_us()),
                  .jitter = microseconds(fault.jitter_us()),
                  .bandwidth = fault.bandwidth(),
                  .slice = fault.slice_bytes(),
                  .slice_delay = microseconds(fault.slice_delay_us()),
                  .slow_close = microseconds(fault.slow_close_us()),
                  .blackhole = fault.blackhole(),
                  .half_close = fault.half_close(),
                  .stall = fault.stall()};
  if (fault.has_close_after()) shape.close_after = fault.close_after();
  if (fault.has_reset_after()) shape.reset_after = fault.reset_after();
  return shape;
}

}  // namespace

void LinkShape::add(const LinkShape& other) {
  latency += other.latency;
  jitter += other.jitter;
  bandwidth = narrower(bandwidth, other.bandwidth);
  slice = narrower(slice, other.slice);
  slice_delay = std::max(slice_delay, other.slice_delay);
  close_after = sooner(close_after, other.close_after);
  reset_after = sooner(reset_after, other.reset_after);
  slow_close += other.slow_close;
  blackhole = blackhole || other.blackhole;
  half_close = half_close || other.half_close;
  stall = stall || other.stall;
}

void LinkShapes::add(const LinkShapes& other) {
  to_server.add(other.to_server);
  to_client.add(other.to_client);
}

LinkShapes link_shapes(const model::LinkFault& fault) {
  const LinkShape shape = shape_of(fault);
  LinkShapes shapes;
  if (fault.direction() != "to_client") shapes.to_server = shape;
  if (fault.direction() != "to_server") shapes.to_client = shape;
  return shapes;
}

}  // namespace misrule::rules
