#pragma once

// What became of one armed rule. A rule that never fired says what came nearest to it.

#include <cstdint>
#include <string>
#include <vector>

namespace misrule::model {

struct RuleTally {
  std::string rule = {};
  std::uint64_t considered = 0;  ///< Operations of the rule's protocol or family on its target.
  std::uint64_t matched = 0;     ///< Of these, the ones that the rule's match wants.
  std::uint64_t fired = 0;       ///< Of these, the ones the trigger let through to the action.
  /// connect=deny: what its target had open to the denied destination when the rule was armed, and
  /// lost. No operation of the target, so `fired` does not count it.
  std::uint64_t connections_cut = 0;
  /// Of the operations that were considered and did not match those nearest to what the rule wants,
  /// the more frequent of equals first, with why: "312x SELECT orders", "4x write to a pipe". At
  /// most five.
  std::vector<std::string> near_misses = {};

  /// The rule did something to the system; one that did nothing proves nothing.
  bool has_acted() const { return fired > 0 || connections_cut > 0; }
};

}  // namespace misrule::model
