#include "codecs/postgres/registry.h"

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

NamedPtr named(Registry& registry, std::string_view sql) {
  return std::make_shared<Named>(Named{.statement = registry.make(sql, Backslash::kOrdinary)});
}

std::string text_of(const Names& names, const std::string& name) {
  const NamedPtr last = names.last(name);
  return last ? last->statement->normal : "-";
}

TEST(Names, LastIsWhatWasAskedForLast) {
  Registry registry({});
  Names& names = registry.statements;
  names.ask("", named(registry, "SELECT 1"));
  names.ask("", named(registry, "SELECT 2"));
  EXPECT_EQ(text_of(names, ""), "select 2");
  names.agreed("");
  EXPECT_EQ(text_of(names, ""), "select 2") << "still asked for";
  names.refused("", true);
  EXPECT_EQ(text_of(names, ""), "select 1") << "what was agreed to first stands";
}

TEST(Names, RefusalDropsWhatWasAskedForAndPerhapsTheOld) {
  Registry registry({});
  Names& names = registry.statements;
  names.ask("a", named(registry, "select 1"));
  names.agreed("a");
  names.ask("a", named(registry, "select 2"));
  names.ask("a", named(registry, "select 3"));
  names.refused("a", false);
  EXPECT_EQ(text_of(names, "a"), "select 3") << "later requests are not touched";
  names.refused("a", true);
  EXPECT_EQ(text_of(names, "a"), "-");
  EXPECT_EQ(names.size(), 0U) << "nothing is kept of a name that stands for nothing";
}

TEST(Names, ClosingIsAskedForLikeAnythingElse) {
  Registry registry({});
  Names& names = registry.statements;
  names.ask("a", named(registry, "select 1"));
  names.agreed("a");
  names.ask("a", nullptr);
  EXPECT_EQ(text_of(names, "a"), "-");
  names.refused("a", true);
  EXPECT_EQ(text_of(names, "a"), "select 1");
  names.ask("a", nullptr);
  names.agreed("a");
  EXPECT_EQ(names.size(), 0U);
}

TEST(Names, ClearLeavesWhatIsOnItsWay) {
  Registry registry({});
  Names& names = registry.portals;
  names.put("a", named(registry, "select 1"));
  names.put("b", named(registry, "select 2"));
  names.ask("b", named(registry, "select 3"));
  names.clear_agreed();
  EXPECT_EQ(text_of(names, "a"), "-");
  EXPECT_EQ(text_of(names, "b"), "select 3");
}

TEST(Names, AnswersToWhatNobodyAskedForChangeNothing) {
  Names names;
  names.agreed("a");
  names.refused("a", false);
  EXPECT_EQ(names.size(), 0U);
}

TEST(Registry, TextsAreBoundedAndGivenBack) {
  Registry registry({.registry_bytes_max = 16});
  StatementPtr first = registry.make("select 1", Backslash::kOrdinary);
  EXPECT_EQ(first->normal, "select 1") << "sixteen bytes, raw and normal";
  EXPECT_FALSE(registry.make("x", Backslash::kOrdinary)->is_kept);
  EXPECT_FALSE(registry.make("x", Backslash::kOrdinary)->is_empty()) << "unknown is not empty";
  first.reset();
  EXPECT_TRUE(registry.make("select 2", Backslash::kOrdinary)->is_kept);
}

TEST(Registry, EmptyStatementsAreKnownAsSuch) {
  Registry registry({});
  EXPECT_TRUE(registry.make(" /* nothing */ ; ", Backslash::kOrdinary)->is_empty());
  EXPECT_FALSE(registry.make("select", Backslash::kOrdinary)->is_empty());
}

TEST(Registry, WhatIsLongCountsAgainstTheBound) {
  Registry registry({.registry_bytes_max = 100 * kKiB});
  Named named;
  EXPECT_TRUE(registry.has_room_for(named, 16 * kKiB)) << "few bytes need no room";
  Named other;
  EXPECT_TRUE(registry.has_room_for(named, 60 * kKiB));
  EXPECT_FALSE(registry.has_room_for(other, 60 * kKiB));
  EXPECT_TRUE(registry.has_room_for(named, 90 * kKiB)) << "in place of the 60";
  named.room.reset();
  EXPECT_TRUE(registry.has_room_for(other, 60 * kKiB));
}

}  // namespace
}  // namespace misrule::codecs::postgres
