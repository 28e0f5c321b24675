#pragma once

// Which event could have come of which? From the events' vector clocks; events without one are
// causes and effects only where they say so (Event::after).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "spec/model/event.h"

namespace misrule::model {

/// How many events of the service precede or are the one with this clock.
std::uint64_t count_of(const VectorClock& clock, std::string_view service);
/// The one could have had a part in the other.
bool precedes(const Event& cause, const Event& effect);

/// The events of a test, which outlive it, asked for causes.
class CausalPast {
 public:
  explicit CausalPast(std::span<const std::shared_ptr<const Event>> events);

  /// What other services told before the event, or one of its service before it, could happen:
  /// nearest first, then what was before that.
  std::vector<const Event*> causes_of(const Event& event, std::size_t at_most) const;

 private:
  using Events = std::vector<const Event*>;

  Events nearest(const Event& event) const;
  const Event* latest(std::string_view service, std::uint64_t count) const;
  void add_news(const Event& event, const VectorClock& known, Events& out) const;

  struct Told {
    std::uint64_t count = 0;  ///< Of its service's events, it among them.
    const Event* event = nullptr;
  };
  struct Course {
    std::string_view service = {};
    std::vector<Told> told = {};  ///< By count.
    bool is_sorted = true;
  };

  std::span<const std::shared_ptr<const Event>> events_;
  std::vector<Course> courses_ = {};
};

}  // namespace misrule::model
