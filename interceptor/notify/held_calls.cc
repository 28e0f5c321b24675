#include "interceptor/notify/held_calls.h"

#include <utility>

#include "base/check.h"

namespace misrule::interceptor {

void HeldCalls::add(HeldCall call, TimePoint due) {
  MISRULE_CHECK(!is_full());
  by_time_.emplace(due, std::move(call));
}

std::vector<HeldCall> HeldCalls::take_due(TimePoint now) {
  std::vector<HeldCall> out;
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    out.push_back(std::move(by_time_.begin()->second));
    by_time_.erase(by_time_.begin());
  }
  return out;
}

std::vector<HeldCall> HeldCalls::take_all() {
  return take_unless([](const std::string&) { return false; });
}

void HeldCalls::drop(ListenerId listener) {
  std::erase_if(by_time_, [&](const auto& held) { return held.second.listener == listener; });
}

std::optional<TimePoint> HeldCalls::next_due() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first;
}

}  // namespace misrule::interceptor
