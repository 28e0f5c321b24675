#include "codecs/redis/ledger.h"

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

TEST(Ledger, NeighboursAlikeAreOneEntry) {
  Ledger ledger;
  for (std::uint64_t unit = 1; unit <= 1000; ++unit) ledger.push({.unit = unit});
  EXPECT_EQ(ledger.size(), 1U);
  EXPECT_EQ(ledger.units(), 1000U);
  for (std::uint64_t unit = 1; unit <= 1000; ++unit) EXPECT_EQ(ledger.take_unit().unit, unit);
  EXPECT_TRUE(ledger.empty());
  EXPECT_EQ(ledger.units(), 0U);
}

TEST(Ledger, WhatDiffersStaysApart) {
  Ledger ledger;
  ledger.push({.unit = 1});
  ledger.push({.kind = CommandKind::kExec, .unit = 2});
  ledger.push({.unit = 3});
  ledger.push({.queued = true, .unit = 4});
  ledger.push({.unit = 5, .touched = std::make_unique<Touched>(Touched{.tag = 9})});
  ledger.push({.unit = 7});  // 6 was answered by nobody.
  EXPECT_EQ(ledger.size(), 6U);
  EXPECT_EQ(ledger.take_unit().unit, 1U);
  EXPECT_EQ(ledger.take_unit().kind, CommandKind::kExec);
  EXPECT_FALSE(ledger.take_unit().queued);
  EXPECT_TRUE(ledger.take_unit().queued);
  EXPECT_TRUE(ledger.any([](const Owed& owed) { return owed.touched != nullptr; }));
  EXPECT_EQ(ledger.take_unit().tag(), 9U);
  EXPECT_FALSE(ledger.any([](const Owed& owed) { return owed.touched != nullptr; }));
}

TEST(Ledger, DropsManyOfOneRun) {
  Ledger ledger;
  ledger.push({.unit = 1, .units = 5});
  ledger.push({.kind = CommandKind::kHello, .unit = 6});
  ledger.drop_units(2);
  EXPECT_EQ(ledger.front().unit, 3U);
  EXPECT_EQ(ledger.units(), 4U);
  ledger.drop_units(3);
  EXPECT_EQ(ledger.front().unit, 6U);
  EXPECT_EQ(ledger.units(), 1U);
}

TEST(Ledger, StaysInOrderOverAnyNumber) {
  Ledger ledger;
  std::uint64_t pushed = 0;
  std::uint64_t taken = 0;
  for (int round = 0; round < 1000; ++round) {
    for (int i = 0; i < 3; ++i) ledger.push({.kind = CommandKind::kHello, .unit = ++pushed});
    for (int i = 0; i < 2; ++i) ASSERT_EQ(ledger.take_unit().unit, ++taken);
  }
  EXPECT_EQ(ledger.size(), 1000U);
}

}  // namespace
}  // namespace misrule::codecs::redis
