#include "codecs/redis/session.h"

#include <gtest/gtest.h>

#include "tests/codecs/redis/rig.h"

namespace misrule::codecs::redis {
namespace {

std::unique_ptr<Touched> poisoned(std::string error) {
  return std::make_unique<Touched>(
      Touched{.fate = Touched::Fate::kPoison, .tag = 7, .error = std::move(error)});
}

Owed unit_of(RecordingHost& host) {
  const std::uint64_t unit = host.decided + 1;
  host.decide({.unit = unit});
  return {.unit = unit};
}

TEST(Session, TellsWhatBecameOfUnits) {
  RecordingHost host;
  Session session(host, Limits{});
  session.tell_answered(unit_of(host), "OK", false);
  EXPECT_EQ(host.log.back(), "exchanged 1 OK did");
  session.tell_answered(unit_of(host), "ERR no such key", true);
  EXPECT_EQ(host.log.back(), "exchanged 2 ERR no such key did_not failed");
  EXPECT_EQ(host.exchanges.back().code, "ERR");
  Owed owed = unit_of(host);
  owed.touched = poisoned("OOM full");
  session.tell_injected(owed);
  EXPECT_EQ(host.log.back(), "exchanged 3 OOM full did_not failed");
  EXPECT_EQ(host.exchanges.back().code, "OOM");
  EXPECT_EQ(host.exchanges.back().tag, 7U);
  session.tell_silent(unit_of(host));
  EXPECT_EQ(host.log.back(), "exchanged 4 no answer wanted unknown");
}

TEST(Session, WhatIsLeftIsToldInTheEnd) {
  RecordingHost host;
  Session session(host, Limits{});
  session.queue.push(unit_of(host));
  session.ledger.push(unit_of(host));
  EXPECT_FALSE(session.owes_injection());
  Owed owed = unit_of(host);
  owed.touched = poisoned("OOM full");
  session.ledger.push(std::move(owed));
  EXPECT_TRUE(session.owes_injection());
  session.tell_queue_undone(true);
  EXPECT_EQ(host.log.back(), "exchanged 1 discarded with its transaction did_not failed");
  session.tell_all_unanswered("connection closed");
  EXPECT_EQ(host.exchanges[1].server, ServerOutcome::kUnknown);
  EXPECT_EQ(host.exchanges[2].server, ServerOutcome::kDidNot);
  EXPECT_TRUE(session.ledger.empty());
}

TEST(Session, OfALostTransactionOnlyWhatTheServerWasGivenWasDone) {
  RecordingHost host;
  Session session(host, Limits{});
  session.queue.push(unit_of(host));
  Owed owed = unit_of(host);
  owed.touched = poisoned("WRONGTYPE no");
  session.queue.push(std::move(owed));
  session.tell_queue_untold();
  EXPECT_EQ(host.exchanges[0].server, ServerOutcome::kDid);
  EXPECT_EQ(host.exchanges[1].server, ServerOutcome::kDidNot);
}

TEST(Session, SaysOnceThatItIsOpaque) {
  RecordingHost host;
  Session session(host, Limits{});
  session.requests_opaque("first");
  EXPECT_FALSE(session.replies_raw);
  session.all_opaque("second");
  EXPECT_TRUE(session.replies_raw);
  EXPECT_EQ(host.opaque, "first");
}

}  // namespace
}  // namespace misrule::codecs::redis
