#pragma once

// Chance that repeats: a decision is a hash of what is decided, not drawn from a shared stream, so
// thread timing cannot change another decision.

#include <cstdint>
#include <string_view>

namespace misrule {

/// What one decision is about.
struct DecisionKey {
  std::uint64_t seed = 1;
  std::string_view rule = {};   ///< The rule's id.
  std::string_view actor = {};  ///< "api#2": a service's second connection; a path of processes.
  std::uint64_t ordinal = 0;    ///< The how-manieth decision of this rule for this actor, from 0.
};

/// 64 well-mixed bits, equal on every machine and in every run.
std::uint64_t decision_hash(const DecisionKey& key);

/// The same as a number in [0, 1): fire when it is below the probability.
double decision_chance(const DecisionKey& key);

/// A stable 64-bit hash of text.
std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 0);

}  // namespace misrule
