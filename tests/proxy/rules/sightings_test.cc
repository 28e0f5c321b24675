#include "proxy/rules/sightings.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace misrule::rules {
namespace {

TEST(Sightings, KeepWhatComesOftenInAFloodOfOthers) {
  Sightings sightings("shop");
  constexpr std::uint64_t kRounds = 100'000;
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    sightings.saw(Sightings::Kind::kUnit, "GET", "key:" + std::to_string(i));
    if (i % 10 == 0) sightings.saw(Sightings::Kind::kUnit, "GET", "often");
  }
  EXPECT_EQ(sightings.units(), kRounds + kRounds / 10);
  const std::vector<Sightings::Entry> entries = sightings.entries();
  EXPECT_LE(entries.size(), 64U);
  const auto often = std::ranges::find(entries, "often", &Sightings::Entry::subject);
  ASSERT_NE(often, entries.end());
  EXPECT_EQ(often->count, kRounds / 10);
}

TEST(Sightings, FindWhatOnlyBeginsToComeInTheMiddleOfAFlood) {
  Sightings sightings("shop");
  for (int i = 0; i < 50'000; ++i) {
    sightings.saw(Sightings::Kind::kUnit, "GET", "key:" + std::to_string(i));
    if (i > 40'000 && i % 2 == 0) sightings.saw(Sightings::Kind::kUnit, "GET", "late");
  }
  const std::vector<Sightings::Entry> entries = sightings.entries();
  EXPECT_EQ(std::ranges::count(entries, "late", &Sightings::Entry::subject), 1);
}

}  // namespace
}  // namespace misrule::rules
