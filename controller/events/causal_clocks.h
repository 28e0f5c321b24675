#pragma once

// What each service can know of the others, as a vector clock: its own events in the order in which
// they are told, and what had been sent to it by then.
//
// An event that is told late, with the time at which it happened, knows only what had been sent by
// that time.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "spec/model/event.h"

namespace misrule::controller {

class CausalClocks {
 public:
  /// Something goes from one service to another now; times never go back.
  void pass(std::string_view from, std::string_view to, std::int64_t time_ns);
  /// What happened in `clock` happened before the next event of the service.
  void learn(const std::string& service, const model::VectorClock& clock);
  /// The clock of the service's next event, which happened at that time; until the next call.
  const model::VectorClock& next(const std::string& service, std::int64_t time_ns);

 private:
  /// So much is remembered for events that are told late; the older the more roughly.
  static constexpr std::size_t kReceivedMax = 1024;

  struct Received {
    std::int64_t time_ns = 0;
    model::VectorClock clock = {};  ///< With all that was received before.
  };
  struct Course {
    model::VectorClock clock = {};       ///< Of the latest event.
    std::deque<Received> received = {};  ///< Since then.
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };

  Course& course_of(std::string_view service);

  std::unordered_map<std::string, Course, Hash, std::equal_to<>> courses_ = {};
};

}  // namespace misrule::controller
