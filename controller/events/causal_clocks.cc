#include "controller/events/causal_clocks.h"

#include <algorithm>

namespace misrule::controller {
namespace {

using model::VectorClock;

/// Both are sorted by name.
void merge_into(VectorClock& clock, const VectorClock& other) {
  auto at = clock.begin();
  for (const auto& [service, count] : other) {
    while (at != clock.end() && at->first < service) ++at;
    if (at == clock.end() || at->first != service) {
      at = clock.emplace(at, service, count);
    } else {
      at->second = std::max(at->second, count);
    }
  }
}

void tick(VectorClock& clock, const std::string& service) {
  auto at = std::ranges::lower_bound(clock, service, {}, &VectorClock::value_type::first);
  if (at == clock.end() || at->first != service) at = clock.emplace(at, service, 0);
  ++at->second;
}

}  // namespace

CausalClocks::Course& CausalClocks::course_of(std::string_view service) {
  const auto found = courses_.find(service);
  if (found != courses_.end()) return found->second;
  return courses_.try_emplace(std::string(service)).first->second;
}

void CausalClocks::pass(std::string_view from, std::string_view to, std::int64_t time_ns) {
  if (from == to) return;
  // References into the map stay valid when it grows.
  const Course& sender = course_of(from);
  Course& course = course_of(to);
  const VectorClock& known = course.received.empty() ? course.clock : course.received.back().clock;
  VectorClock clock = known;
  merge_into(clock, sender.clock);
  if (!sender.received.empty()) merge_into(clock, sender.received.back().clock);
  if (clock == known) return;
  course.received.push_back({.time_ns = time_ns, .clock = std::move(clock)});
  if (course.received.size() < kReceivedMax) return;
  // Of the older half: the later of each two knows what the earlier knew.
  const auto half = course.received.begin() + kReceivedMax / 2;
  auto kept = course.received.begin();
  for (auto at = kept + 1; at < half; at += 2) *kept++ = std::move(*at);
  course.received.erase(kept, half);
}

void CausalClocks::learn(const std::string& service, const VectorClock& clock) {
  merge_into(course_of(service).clock, clock);
}

const VectorClock& CausalClocks::next(const std::string& service, std::int64_t time_ns) {
  Course& course = course_of(service);
  if (!course.received.empty()) {
    const auto later = std::ranges::upper_bound(course.received, time_ns, {}, &Received::time_ns);
    if (later != course.received.begin()) merge_into(course.clock, std::prev(later)->clock);
    course.received.erase(course.received.begin(), later);
  }
  tick(course.clock, service);
  return course.clock;
}

}  // namespace misrule::controller
