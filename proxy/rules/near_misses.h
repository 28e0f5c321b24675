#pragma once

// What came nearest to a rule that never fired, as people read it.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/rules/compiled_set.h"

namespace misrule::rules {

/// How near something came to what a rule wants; only the order means something.
enum class Nearness : unsigned {};
/// The rule wanted it, and something else kept it from acting.
inline constexpr Nearness kWouldHaveActed{~0U};
Nearness nearness(const CompiledRule& rule, std::string_view operation, std::string_view subject);

/// Misses of one rule, by text, with how often. Bounded: the nearest are kept.
class MissCounts {
 public:
  /// `text` follows the count: "POST /orders" becomes "3x POST /orders" or, where several texts
  /// differ in their numbers only, "3x POST /orders/...". `reason` ends the sentence.
  void add(Nearness near, std::string_view text, std::string_view reason, std::uint64_t count);
  void add_all(const MissCounts& others);
  /// The more frequent of those that are equally near comes first.
  std::vector<std::string> nearest(std::size_t count_max) const;

 private:
  static constexpr std::size_t kGroupsMax = 64;

  struct Group {
    Nearness near = {};     ///< Of its nearest member.
    std::string text = {};  ///< Of the first member, or the pattern if members differ.
    std::string reason = {};
    std::uint64_t count = 0;
  };
  bool make_room(Nearness near);

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
