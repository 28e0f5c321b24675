#include "base/random.h"

namespace misrule {
namespace {

// The finaliser of splitmix64: every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30U;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27U;
  x *= 0x94d049bb133111ebULL;
  x ^= x >> 31U;
  return x;
}

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;

}  // namespace

std::uint64_t stable_hash(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = mix(seed + kGolden);
  for (const char c : text) hash = mix(hash ^ (static_cast<std::uint8_t>(c) + kGolden));
  return mix(hash ^ text.size());
}

std::uint64_t decision_hash(const DecisionKey& key) {
  const std::uint64_t rule = stable_hash(key.rule, key.seed);
  const std::uint64_t actor = stable_hash(key.actor, rule);
  return mix(actor ^ mix(key.ordinal + kGolden));
}

double decision_chance(const DecisionKey& key) {
  constexpr double kTwoToMinus53 = 1.0 / 9007199254740992.0;
  return static_cast<double>(decision_hash(key) >> 11U) * kTwoToMinus53;
}

}  // namespace misrule
