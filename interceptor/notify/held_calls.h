#pragma once

// Calls that wait for their time: states in a table, never sleeping threads. Bounded.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "interceptor/notify/connect.h"

namespace misrule::interceptor {

/// A served listener, by the order of attachment.
enum class ListenerId : std::uint32_t {};

struct HeldCall {
  ListenerId listener = {};
  std::uint64_t id = 0;
  std::string rule = {};
  std::optional<ConnectCall> connect = {};  ///< A connect goes through its router when it goes on.
  bool gated = false;  ///< Answered already: what is held is the handshake of its socket.
};

class HeldCalls {
 public:
  static constexpr std::size_t kHeldMax = 16384;

  bool is_full() const { return by_time_.size() >= kHeldMax; }
  /// Only while it is not full.
  void add(HeldCall call, TimePoint due);

  std::vector<HeldCall> take_due(TimePoint now);
  std::vector<HeldCall> take_all();
  /// Those whose rule is not `armed` any more.
  template <class Predicate>
  std::vector<HeldCall> take_unless(Predicate armed) {
    std::vector<HeldCall> out;
    for (auto at = by_time_.begin(); at != by_time_.end();) {
      if (armed(at->second.rule)) {
        ++at;
        continue;
      }
      out.push_back(std::move(at->second));
      at = by_time_.erase(at);
    }
    return out;
  }
  void drop(ListenerId listener);

  std::optional<TimePoint> next_due() const;

 private:
  std::multimap<TimePoint, HeldCall> by_time_ = {};
};

}  // namespace misrule::interceptor
