#pragma once

// What came nearest to a rule that never fired, as people read it.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/rules/compiled_set.h"

namespace misrule::rules {

/// Misses of one rule, by text, with how often. Bounded.
class MissCounts {
 public:
  /// Nearer ones are told first, whatever their number.
  enum class Rank : std::uint8_t { kWouldHaveActed, kOther };

  /// `text` follows the count: "POST /orders" becomes "3x POST /orders" or, where several texts
  /// differ in their numbers only, "3x POST /orders/...". `reason` ends the sentence.
  void add(Rank rank, std::string_view text, std::string_view reason, std::uint64_t count);
  void add_all(const MissCounts& others);
  std::vector<std::string> most_frequent(std::size_t count_max) const;

 private:
  static constexpr std::size_t kGroupsMax = 64;

  struct Group {
    Rank rank = Rank::kOther;
    std::string text = {};  ///< Of the first member, or the pattern if members differ.
    std::string reason = {};
    std::uint64_t count = 0;
  };
  std::map<std::string, Group> groups_;
};

/// What one set's sightings say about one rule.
struct RuleSightings {
  std::uint64_t considered = 0;
  MissCounts misses = {};
};

/// One per rule of the set, in its order.
std::vector<RuleSightings> look_through(const CompiledSet& set);

/// Why a rule that matched has not fired; empty if it did or never matched.
std::string held_back_by_trigger(const RuleState& rule);

}  // namespace misrule::rules
