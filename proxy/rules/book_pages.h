#pragma once

// The inside of a RuleBook. Every member locks; the pointers it hands out live as long as it does.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/rules/compiled_set.h"
#include "proxy/rules/near_misses.h"
#include "proxy/rules/rule_set.h"

namespace misrule::rules {

class RuleBook::Pages {
 public:
  Pages(std::uint64_t seed, std::optional<TimePoint> start) : seed_(seed), start_(start) {}

  std::uint64_t seed() const { return seed_; }
  std::optional<TimePoint> start() const { return start_; }

  /// The state of a rule with this id, wording (the serialised rule) and name; made if it is new.
  const RuleState* state_for(const RuleState& wanted);
  /// Its sightings count from now on. What older sets saw is folded into totals when too many are
  /// kept.
  void add_set(std::shared_ptr<const CompiledSet> set);

  const RuleName* find(std::uint64_t tag) const;
  std::uint64_t tag_of(std::string_view id) const;
  void take_back(const Spent& spent, Actor& actor);
  std::vector<model::RuleTally> tallies() const;

 private:
  // Loops change over to a new set within moments, so an old one sees nothing more soon.
  static constexpr std::size_t kSetsKept = 3;

  using Totals = std::unordered_map<const RuleCounters*, RuleSightings>;

  static void add_sightings(const CompiledSet& set, Totals& totals);

  const std::uint64_t seed_;
  const std::optional<TimePoint> start_;
  mutable std::mutex mutex_;
  std::deque<RuleCounters> counters_;  // In order of arming.
  std::deque<RuleState> states_;       // A tag is a position here, from 1.
  std::unordered_map<std::string, RuleCounters*> counters_by_id_;
  std::unordered_map<std::string, const RuleState*> states_by_wording_;
  std::unordered_map<const RuleCounters*, const RuleState*> latest_;
  std::deque<std::shared_ptr<const CompiledSet>> sets_;
  Totals folded_;
};

}  // namespace misrule::rules
