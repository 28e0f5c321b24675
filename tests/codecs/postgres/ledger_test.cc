#include "codecs/postgres/ledger.h"

#include <gmock/gmock.h>

namespace misrule::codecs::postgres {
namespace {

using Kind = Owed::Kind;
using ::testing::ElementsAre;

std::vector<Kind> rest_of(Ledger& ledger) {
  std::vector<Kind> kinds;
  for (const Owed* head = ledger.head(); head != nullptr; head = ledger.head()) {
    kinds.push_back(head->kind);
    ledger.pop();
  }
  return kinds;
}

void push(Ledger& ledger, std::initializer_list<Kind> kinds) {
  for (const Kind kind : kinds) ledger.push({.kind = kind});
}

TEST(Ledger, IsInTheOrderOfTheClient) {
  Ledger ledger;
  EXPECT_TRUE(ledger.empty());
  push(ledger, {Kind::kParse, Kind::kBind, Kind::kSync});
  EXPECT_THAT(rest_of(ledger), ElementsAre(Kind::kParse, Kind::kBind, Kind::kSync));
}

TEST(Ledger, ErrorSkipsToTheSyncThatIsThere) {
  Ledger ledger;
  push(ledger, {Kind::kParse, Kind::kQuery, Kind::kExecute, Kind::kSync, Kind::kQuery});
  EXPECT_EQ(ledger.skip_to_sync().size(), 3U);
  EXPECT_FALSE(ledger.skipping());
  EXPECT_THAT(rest_of(ledger), ElementsAre(Kind::kSync, Kind::kQuery));
}

TEST(Ledger, ErrorSkipsToTheSyncThatWillCome) {
  Ledger ledger;
  push(ledger, {Kind::kParse, Kind::kExecute});
  EXPECT_EQ(ledger.skip_to_sync().size(), 2U);
  EXPECT_TRUE(ledger.skipping());
  push(ledger, {Kind::kSync});
  EXPECT_FALSE(ledger.skipping());
}

TEST(Ledger, CopyTakesTheSyncsThatAreSentWithinIt) {
  Ledger ledger;
  push(ledger, {Kind::kExecute, Kind::kSync});
  ledger.copy_in_began();
  EXPECT_TRUE(ledger.copying());
  ledger.copy_end_sent();
  EXPECT_FALSE(ledger.copying());
  push(ledger, {Kind::kSync});
  EXPECT_THAT(rest_of(ledger), ElementsAre(Kind::kExecute, Kind::kSync));
}

TEST(Ledger, CopyThatWasSentAtOnceEndsWhereItsEndWasSent) {
  Ledger ledger;
  push(ledger, {Kind::kExecute, Kind::kSync});
  ledger.copy_end_sent();
  push(ledger, {Kind::kSync, Kind::kQuery});
  ledger.copy_in_began();
  EXPECT_FALSE(ledger.copying());
  EXPECT_THAT(rest_of(ledger), ElementsAre(Kind::kExecute, Kind::kSync, Kind::kQuery));
}

TEST(Ledger, EndOfACopyThatNeverWasOwesNothing) {
  Ledger ledger;
  ledger.copy_end_sent();
  EXPECT_EQ(ledger.size(), 0U);
  push(ledger, {Kind::kQuery});
  ledger.copy_end_sent();
  ledger.pop();
  EXPECT_TRUE(ledger.empty());
}

TEST(Owed, UnitsAnswerInTurn) {
  Owed owed;
  EXPECT_EQ(owed.unit(), nullptr);
  owed.units.push_back({.id = 1});
  owed.units.push_back({.id = 2});
  EXPECT_EQ(owed.unit()->id, 1U);
  owed.at = 1;
  EXPECT_EQ(owed.unit()->id, 2U);
  owed.at = 2;
  EXPECT_EQ(owed.unit(), nullptr);
}

TEST(Ledger, BytesAreThoseOfWhatIsOwed) {
  Ledger ledger;
  std::vector<Unit> units(1);
  ledger.push({.kind = Owed::Kind::kExecute, .units = std::move(units)});
  EXPECT_EQ(ledger.bytes(), sizeof(Owed) + sizeof(Unit));
  const Owed taken = std::move(*ledger.head());
  ledger.pop();
  EXPECT_EQ(ledger.bytes(), 0U);
  for (const auto kind : {Owed::Kind::kQuery, Owed::Kind::kSync, Owed::Kind::kBind,
                          Owed::Kind::kSync, Owed::Kind::kCopyEnd, Owed::Kind::kSync}) {
    ledger.push({.kind = kind});
  }
  ledger.copy_in_began();
  EXPECT_EQ(ledger.bytes(), 4 * sizeof(Owed)) << "the Syncs of the COPY owe nothing";
  EXPECT_EQ(ledger.skip_to_sync().size(), 3U);
  EXPECT_EQ(ledger.bytes(), sizeof(Owed));
  ledger.take_all();
  EXPECT_EQ(ledger.bytes(), 0U);
}

}  // namespace
}  // namespace misrule::codecs::postgres
