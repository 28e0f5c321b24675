#pragma once

// The inside of a RuleSet. The book keeps the latest of them, because near misses are worked out
// when they are asked for, and that may be after the set was replaced.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "proxy/rules/rule_set.h"
#include "proxy/rules/rule_state.h"
#include "proxy/rules/scope_rules.h"
#include "proxy/rules/sightings.h"

namespace misrule::rules {

/// Are this consumer's units touched by a rule with this source? Both may be empty: see ScopeKey
/// and model::Rule.source.
bool in_force(std::string_view rule_source, std::string_view consumer);

/// One interface that is a target of some rule.
struct TargetRules {
  std::vector<RuleIndex> rules = {};  ///< In rule order.
  /// Bits of codecs::Detail and codecs::Phase that some rule wants.
  std::uint32_t details = 0;
  std::uint32_t phases = 0;
  std::unique_ptr<ScopeRules> of_services = {};  ///< Those without source.
  std::unique_ptr<ScopeRules> everything = {};   ///< All; null where no rule has a source.
  std::map<std::string, ScopeRules, std::less<>> by_source = {};
  /// By consumer; made when the first connection of a listener asks.
  std::map<std::string, std::unique_ptr<Sightings>, std::less<>> sightings = {};
};

struct CompiledSet {
  using TargetKey = std::pair<std::string, std::string>;  // Service, interface.

  std::uint64_t seed = 1;
  std::uint64_t version = 0;
  std::optional<TimePoint> start = {};  ///< Of windows; see RuleBook.
  std::vector<CompiledRule> rules = {};
  std::map<TargetKey, TargetRules> targets = {};
  std::unordered_set<std::uint64_t> tags = {};
  mutable std::mutex mutex = {};  ///< Guards TargetRules::sightings (the maps, not what they hold).
};

}  // namespace misrule::rules
