#pragma once

// Which events explain a failure: those that its findings name with what they come from, what rules
// touched, what the test did, and what stood beside them.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "controller/events/event_log.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

inline constexpr std::size_t kStoryEventsMax = 12;

/// Numbers of at most kStoryEventsMax of `events`, which stand in the order in which people read
/// them; the story keeps that order.
std::vector<std::uint64_t> select_story(const std::vector<EventPtr>& events,
                                        const std::vector<model::Finding>& findings = {});

}  // namespace misrule::controller
