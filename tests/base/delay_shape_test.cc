#include "base/delay_shape.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace misrule {
namespace {

using namespace std::chrono_literals;
using Distribution = DelayShape::Distribution;

std::vector<double> milliseconds_of(const DelayShape& shape, std::uint64_t seed = 1) {
  std::vector<double> out;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const Duration one = shape.sample({.seed = seed, .rule = "r", .actor = "api#1", .ordinal = i});
    out.push_back(static_cast<double>(one.count()) / 1e6);
  }
  return out;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  const double middle = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - middle) * (value - middle);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

TEST(DelayShape, WithoutJitterItIsFixed) {
  const DelayShape shape{.duration = 100ms};
  EXPECT_FALSE(shape.varies());
  EXPECT_EQ(shape.sample({}), 100ms);
}

TEST(DelayShape, UniformStaysWithinAndFillsItsBounds) {
  const auto all = milliseconds_of({.duration = 100ms, .jitter = 20ms});
  const auto [least, most] = std::ranges::minmax(all);
  EXPECT_GE(least, 80.0);
  EXPECT_LT(least, 81.0);
  EXPECT_LE(most, 120.0);
  EXPECT_GT(most, 119.0);
  EXPECT_NEAR(mean(all), 100.0, 0.5);
}

TEST(DelayShape, NormalHasItsMeanAndDeviation) {
  const auto all =
      milliseconds_of({.duration = 100ms, .jitter = 20ms, .distribution = Distribution::kNormal});
  EXPECT_NEAR(mean(all), 100.0, 1.0);
  EXPECT_NEAR(deviation(all), 20.0, 1.0);
}

TEST(DelayShape, ParetoBeginsAtItsDurationAndHasATail) {
  const auto all =
      milliseconds_of({.duration = 100ms, .jitter = 20ms, .distribution = Distribution::kPareto});
  const auto [least, most] = std::ranges::minmax(all);
  EXPECT_GE(least, 100.0);
  EXPECT_NEAR(mean(all), 110.0, 1.0);
  EXPECT_GT(most, 200.0);
}

TEST(DelayShape, IsNeverNegativeAndRepeats) {
  const DelayShape shape{.duration = 1ms, .jitter = 100ms, .distribution = Distribution::kNormal};
  const auto all = milliseconds_of(shape);
  EXPECT_EQ(std::ranges::min(all), 0.0);
  EXPECT_EQ(all, milliseconds_of(shape));
  EXPECT_NE(all, milliseconds_of(shape, 2));
}

TEST(DelayShape, KnowsItsDistributionsByName) {
  EXPECT_EQ(distribution_from_name("pareto"), Distribution::kPareto);
  EXPECT_EQ(distribution_from_name("gauss"), std::nullopt);
}

}  // namespace
}  // namespace misrule
