#pragma once

// How long one delay lasts, when delays are not all alike.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace misrule {

struct DelayShape {
  enum class Distribution : std::uint8_t {
    kUniform,  ///< Anywhere within `duration` give or take `jitter`.
    kNormal,   ///< Around `duration`, with `jitter` as the standard deviation.
    kPareto,   ///< From `duration` on, `jitter` times a heavy tail of shape 3: the mean is half a
               ///< `jitter` more.
  };
  Duration duration = {};
  Duration jitter = {};
  Distribution distribution = Distribution::kUniform;

  bool varies() const { return jitter > Duration::zero(); }
  /// Never negative; the same for the same key.
  Duration sample(const DecisionKey& key) const;
};

/// Keeps the chance of how long apart from the chance of whether.
inline constexpr std::uint64_t kDelaySalt = 0x64656c6179;

/// "delay(100ms)", "delay(100ms, normal jitter of 20ms)".
std::string delay_text(const DelayShape& shape);
/// "uniform", "normal", "pareto".
std::optional<DelayShape::Distribution> distribution_from_name(std::string_view name);

}  // namespace misrule
