#include "base/delay_shape.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "base/duration_text.h"

namespace misrule {
namespace {

constexpr double kParetoShape = 3.0;

/// In (0, 1]: its logarithm exists.
double open_chance(const DecisionKey& key) { return 1.0 - decision_chance(key); }

double deviation(DelayShape::Distribution distribution, const DecisionKey& key) {
  switch (distribution) {
    case DelayShape::Distribution::kUniform:
      return 2.0 * decision_chance(key) - 1.0;
    case DelayShape::Distribution::kNormal: {
      // Box and Muller: two chances make a normal one. The second key is the first one's twin.
      const DecisionKey twin = {
          .seed = ~key.seed, .rule = key.rule, .actor = key.actor, .ordinal = key.ordinal};
      return std::sqrt(-2.0 * std::log(open_chance(key))) *
             std::cos(2.0 * std::numbers::pi * decision_chance(twin));
    }
    case DelayShape::Distribution::kPareto:
      return std::pow(open_chance(key), -1.0 / kParetoShape) - 1.0;
  }
  return 0.0;
}

}  // namespace

Duration DelayShape::sample(const DecisionKey& key) const {
  if (!varies()) return duration;
  const double spread = static_cast<double>(jitter.count()) * deviation(distribution, key);
  // A tail without end is cut where nobody waits any more.
  constexpr double kLongest = 24.0 * 3600 * 1e9;
  const double total = static_cast<double>(duration.count()) + spread;
  return Duration(static_cast<Duration::rep>(std::clamp(total, 0.0, kLongest)));
}

std::string delay_text(const DelayShape& shape) {
  if (!shape.varies()) return fmt::format("delay({})", duration_text(shape.duration));
  constexpr std::string_view kNames[] = {"uniform", "normal", "pareto"};
  return fmt::format("delay({}, {} jitter of {})", duration_text(shape.duration),
                     kNames[static_cast<std::size_t>(shape.distribution)],
                     duration_text(shape.jitter));
}

std::optional<DelayShape::Distribution> distribution_from_name(std::string_view name) {
  using Distribution = DelayShape::Distribution;
  if (name == "uniform") return Distribution::kUniform;
  if (name == "normal") return Distribution::kNormal;
  if (name == "pareto") return Distribution::kPareto;
  return std::nullopt;
}

}  // namespace misrule
