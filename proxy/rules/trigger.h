#pragma once

// Of the units that a rule's match wants, which does it act on?

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace misrule::model {
class Trigger;
}  // namespace misrule::model

namespace misrule::rules {

/// Within what do nth, after, every and times count?
enum class Per : std::uint8_t { kRule, kConnection, kTransaction, kKey };

/// When a rule acts, apart from what it matches; all of it must hold.
struct Trigger {
  std::optional<std::uint64_t> nth = {};
  std::uint64_t after = 0;
  std::optional<std::uint64_t> times = {};
  std::optional<double> probability = {};
  std::uint64_t every = 1;
  Per per = Per::kRule;
  std::optional<Duration> window_from = {};
  std::optional<Duration> window_to = {};

  bool is_open(Duration since_start) const {
    return (!window_from || since_start >= *window_from) &&
           (!window_to || since_start < *window_to);
  }
  /// Does the how-manieth match pass? `chance` is uniform in [0, 1).
  bool lets_through(std::uint64_t match, double chance) const;
};

Trigger trigger_of(const model::Trigger& trigger);

/// What is counted in one connection, one transaction or for one key.
struct LocalCounts {
  std::uint64_t transaction = 0;  ///< The counts are of this one.
  std::uint64_t matched = 0;
  std::uint64_t fired = 0;
};

/// Counts per key, bounded: keys beyond kKeysMax are not acted upon. Thread-safe through `mutex`,
/// which whoever uses `of` holds.
class KeyCounts {
 public:
  static constexpr std::size_t kKeysMax = 65'536;

  std::mutex mutex = {};
  /// Null: too many keys.
  LocalCounts* of(std::string_view key);

 private:
  std::unordered_map<std::string, LocalCounts> counts_ = {};
};

}  // namespace misrule::rules
