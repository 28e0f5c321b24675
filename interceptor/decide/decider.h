#pragma once

// A system call's facts in, a verdict out. Pure: no kernel, no clock, no thread; one thread at a
// time.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "interceptor/decide/compile.h"
#include "interceptor/decide/facts.h"
#include "interceptor/decide/near_misses.h"
#include "spec/model/tally.h"

namespace misrule::interceptor {

/// Which facts are worth gathering for a family of a service.
struct Interest {
  bool any = false;    ///< A rule looks at it: kind, path, destination.
  bool actor = false;  ///< A rule rolls dice: who makes the call.
};

class Decider {
 public:
  explicit Decider(std::uint64_t seed) : seed_(seed) {}

  /// Replaces all rules. What rules with the same id have counted goes on.
  void replace(std::vector<CompiledRule> rules);

  Interest interest(ServiceId service, Family family) const;

  /// Asks the rules of the call's service and family in order; the first that fires decides. Rules
  /// that record count in any case.
  Verdict decide(const CallFacts& call);

  bool is_armed(const std::string& rule) const;
  /// One per rule ever armed, in order of arming.
  std::vector<model::RuleTally> tallies() const;

 private:
  // Outlives its rule: a rule that comes back under its id goes on counting.
  struct Counts {
    std::string rule = {};
    std::uint64_t considered = 0;
    std::uint64_t matched = 0;
    std::uint64_t fired = 0;
    NearMisses near_misses = {};
    std::unordered_map<std::string, std::uint64_t> rolls = {};  // By actor.
  };
  struct Armed {
    CompiledRule rule;
    Counts* counts;
  };
  using Slot = std::array<std::vector<std::size_t>, kFamilyCount>;

  bool fires(Armed& armed, const CallFacts& call);
  static bool is_spent(const Armed& armed);
  const std::vector<std::size_t>* find_rules(ServiceId service, Family family) const;

  std::uint64_t seed_;
  std::vector<Armed> armed_ = {};
  std::vector<Slot> by_service_ = {};
  std::vector<std::unique_ptr<Counts>> counts_ = {};  // In order of arming.
  std::unordered_map<std::string, Counts*> counts_by_rule_ = {};
};

/// Empty if the rule wants this call; else why not, for people: "write to a pipe".
std::string why_not(const CompiledRule& rule, const CallFacts& call);

}  // namespace misrule::interceptor
