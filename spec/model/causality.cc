#include "spec/model/causality.h"

#include <algorithm>
#include <iterator>

namespace misrule::model {
namespace {

std::uint64_t own_count(const Event* event) { return count_of(event->clock, event->service); }

}  // namespace

std::uint64_t count_of(const VectorClock& clock, std::string_view service) {
  const auto at = std::ranges::find(clock, service, &VectorClock::value_type::first);
  return at == clock.end() ? 0 : at->second;
}

bool precedes(const Event& cause, const Event& effect) {
  if (cause.number == effect.number) return false;
  const std::uint64_t own = own_count(&cause);
  if (own > 0 && count_of(effect.clock, cause.service) >= own) return true;
  return std::ranges::find(effect.after, cause.number) != effect.after.end();
}

CausalPast::CausalPast(std::span<const std::shared_ptr<const Event>> events) : events_(events) {
  for (const auto& event : events) {
    const std::uint64_t count = own_count(event.get());
    if (count == 0) continue;
    auto course = std::ranges::find(courses_, event->service, &Course::service);
    if (course == courses_.end()) {
      course = courses_.insert(course, {.service = event->service});
    }
    std::vector<Told>& told = course->told;
    course->is_sorted = course->is_sorted && (told.empty() || told.back().count < count);
    told.push_back({.count = count, .event = event.get()});
  }
  for (Course& course : courses_) {
    if (!course.is_sorted) std::ranges::sort(course.told, {}, &Told::count);
  }
}

const Event* CausalPast::latest(std::string_view service, std::uint64_t count) const {
  const auto course = std::ranges::find(courses_, service, &Course::service);
  if (course == courses_.end()) return nullptr;
  const auto behind = std::ranges::upper_bound(course->told, count, {}, &Told::count);
  return behind == course->told.begin() ? nullptr : std::prev(behind)->event;
}

/// Of other services, what the event knows and `known` does not.
void CausalPast::add_news(const Event& event, const VectorClock& known, Events& out) const {
  for (const std::uint64_t number : event.after) {
    const auto cause =
        std::ranges::find(events_, number, [](const auto& one) { return one->number; });
    if (cause != events_.end()) out.push_back(cause->get());
  }
  for (const auto& [service, count] : event.clock) {
    if (service == event.service || count <= count_of(known, service)) continue;
    const Event* cause = latest(service, count);
    if (cause != nullptr && std::ranges::find(out, cause) == out.end()) out.push_back(cause);
  }
}

CausalPast::Events CausalPast::nearest(const Event& event) const {
  Events out;
  const Event* at = &event;
  while (at != nullptr && out.empty()) {
    const std::uint64_t own = own_count(at);
    const Event* before = own > 1 ? latest(at->service, own - 1) : nullptr;
    add_news(*at, before == nullptr ? VectorClock() : before->clock, out);
    at = before;
  }
  // What is known by way of another is further away.
  const Events all = out;
  std::erase_if(out, [&](const Event* one) {
    return std::ranges::any_of(all, [&](const Event* other) { return precedes(*one, *other); });
  });
  std::ranges::sort(out, std::greater(), &Event::number);
  return out;
}

std::vector<const Event*> CausalPast::causes_of(const Event& event, std::size_t at_most) const {
  Events causes = nearest(event);
  for (std::size_t i = 0; i < causes.size() && causes.size() < at_most; ++i) {
    for (const Event* earlier : nearest(*causes[i])) {
      if (earlier->number == event.number) continue;
      if (std::ranges::find(causes, earlier) == causes.end()) causes.push_back(earlier);
    }
  }
  causes.resize(std::min(causes.size(), at_most));
  return causes;
}

}  // namespace misrule::model
