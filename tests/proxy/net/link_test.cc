// What link faults do to a connection's bytes, in time that is moved by hand.

#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/proxy/net/test_bed.h"

namespace misrule::proxy::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;

class LinkTest : public ::testing::Test {
 protected:
  /// One link rule; `more` are further fields of the rule.
  void arm(std::string_view link, std::string_view more = "") {
    constexpr std::string_view kRule =
        R"({{"rules":[{{"id":"link","target":{{"service":"db","interface":"main"}},)"
        R"("link":{{{}}}{}}}]}})";
    bed.set_rules(fmt::format(kRule, link, more));
  }
  void disarm() { bed.set_rules(R"({"rules":[]})"); }
  std::uint64_t fired() { return bed.book.tallies().at(0).fired; }

  TestBed bed;
};

TEST_F(LinkTest, LatencyDelaysEachDirectionAndKeepsTheOrder) {
  arm(R"("latencyUs":100000)");
  Pair pair = bed.connect();
  pair.client.send("one\n");
  bed.settle();
  bed.advance(milliseconds(60));
  pair.client.send("two\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "");
  EXPECT_EQ(bed.events.take_course().find("api>db"), std::string::npos) << "it is under way";
  bed.advance(milliseconds(41));
  EXPECT_EQ(pair.server.receive(), "one\n");
  EXPECT_EQ(bed.events.take_course(), "api>db ");
  bed.advance(milliseconds(60));
  EXPECT_EQ(pair.server.receive(), "two\n") << "100 ms after it was sent, not after the first";
  pair.server.send("answer");
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "");
  bed.advance(milliseconds(101));
  EXPECT_EQ(pair.client.receive(), "answer");
  EXPECT_EQ(fired(), 1U);
  EXPECT_THAT(bed.events.field("decision"), Contains("link(latency=100ms)"));
}

TEST_F(LinkTest, ADirectionCanBeMeantAlone) {
  arm(R"("latencyUs":100000,"direction":"to_client")");
  Pair pair = bed.connect();
  pair.client.send("one\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "one\n");
  pair.server.send("answer");
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "");
  bed.advance(milliseconds(101));
  EXPECT_EQ(pair.client.receive(), "answer");
}

TEST_F(LinkTest, AConnectionThatStandsAlreadyIsTakenAndLetGo) {
  Pair pair = bed.connect();
  pair.client.send("before\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "before\n");
  arm(R"("latencyUs":10000000)");
  pair.client.send("held\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "");
  disarm();
  EXPECT_EQ(pair.server.receive(), "held\n") << "what a vanished rule delays goes on at once";
  pair.client.send("after\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "after\n");
}

TEST_F(LinkTest, AnAnswerDoesNotOvertakeWhatTheLinkDelays) {
  arm(R"("latencyUs":100000,"direction":"to_client")");
  Pair pair = bed.connect();
  pair.server.send("first");
  bed.settle();
  pair.client.send("answer:second\n");
  bed.settle();
  bed.advance(milliseconds(150));
  EXPECT_EQ(pair.client.receive(), "firstsecond\n");
}

TEST_F(LinkTest, BandwidthIsKept) {
  arm(R"("bandwidth":"1000","direction":"to_client")");
  Pair pair = bed.connect();
  pair.server.send(std::string(2000, 'x'));
  bed.settle();
  std::size_t got = pair.client.receive().size();
  EXPECT_LE(got, 100U);
  for (int i = 0; i < 100; ++i) {
    bed.advance(milliseconds(10));
    got += pair.client.receive().size();
  }
  EXPECT_GE(got, 900U);
  EXPECT_LE(got, 1100U) << "a second's worth of 1000 bytes per second";
  for (int i = 0; i < 110; ++i) {
    bed.advance(milliseconds(10));
    got += pair.client.receive().size();
  }
  EXPECT_EQ(got, 2000U);
}

TEST_F(LinkTest, SlicesComeOneByOne) {
  arm(R"("sliceBytes":"3","sliceDelayUs":"50000","direction":"to_client")");
  Pair pair = bed.connect();
  pair.server.send("abcdefgh");
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "abc");
  bed.advance(milliseconds(51));
  EXPECT_EQ(pair.client.receive(), "def");
  bed.advance(milliseconds(51));
  EXPECT_EQ(pair.client.receive(), "gh");
}

TEST_F(LinkTest, ALimitClosesTheConnection) {
  arm(R"("closeAfter":"5","direction":"to_client")");
  Pair pair = bed.connect();
  pair.server.send("abcdefgh");
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "abcde");
  EXPECT_TRUE(pair.client.at_end());
  pair.client.close();
  pair.server.close();
  bed.settle();
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

TEST_F(LinkTest, ABlackholeTellsNobodyAndEndsWithAReset) {
  Pair pair = bed.connect();
  arm(R"("blackhole":true)");
  pair.client.send("lost\n");
  pair.client.shut_sending();
  bed.advance(seconds(60));
  EXPECT_EQ(pair.server.receive(), "");
  EXPECT_FALSE(pair.server.at_end());
  disarm();
  pair.server.receive();
  EXPECT_TRUE(pair.server.at_end()) << "a stream with a gap is not to be read on";
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

TEST_F(LinkTest, ABlackholeThatSwallowedNothingLeavesNoTrace) {
  Pair pair = bed.connect();
  arm(R"("blackhole":true)");
  bed.advance(seconds(1));
  disarm();
  pair.client.send("one\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "one\n");
}

TEST_F(LinkTest, S1_29_WhatStallsGoesOnAfterwardsAndNothingIsLost) {
  Pair pair = bed.connect();
  arm(R"("stall":true)");
  EXPECT_EQ(fired(), 1U);
  pair.client.send("one\n");
  pair.server.send("answer\n");
  pair.client.shut_sending();
  bed.advance(seconds(3600));
  EXPECT_EQ(pair.server.receive(), "");
  EXPECT_FALSE(pair.server.at_end());
  EXPECT_EQ(pair.client.receive(), "");
  disarm();
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "answer\n");
  EXPECT_EQ(pair.server.receive(), "one\n");
  pair.server.receive();
  EXPECT_TRUE(pair.server.at_end()) << "its end was held like its bytes";
}

TEST_F(LinkTest, AResetDoesNotComeThroughAStalledLink) {
  Pair pair = bed.connect();
  pair.server.send("never read");
  bed.settle();
  arm(R"("stall":true)");
  pair.client.close();
  bed.advance(seconds(60));
  pair.server.receive();
  EXPECT_FALSE(pair.server.at_end());
  disarm();
  bed.settle();
  pair.server.receive();
  EXPECT_TRUE(pair.server.at_end());
  pair.server.close();
  bed.settle();
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

TEST_F(LinkTest, AHalfCloseEndsOneDirection) {
  Pair pair = bed.connect();
  arm(R"("halfClose":true,"direction":"to_server")");
  pair.server.receive();
  EXPECT_TRUE(pair.server.at_end());
  pair.server.send("still here");
  pair.client.send("unheard\n");
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "still here");
  EXPECT_FALSE(pair.client.at_end());
}

TEST_F(LinkTest, TheEndOfTheStreamComesLate) {
  arm(R"("slowCloseUs":"1000000")");
  Pair pair = bed.connect();
  pair.client.send("last\n");
  pair.client.shut_sending();
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "last\n");
  EXPECT_FALSE(pair.server.at_end());
  bed.advance(milliseconds(1001));
  pair.server.receive();
  EXPECT_TRUE(pair.server.at_end());
}

TEST_F(LinkTest, AFullLinkHoldsTheSenderBack) {
  arm(R"("latencyUs":"3600000000")");
  Pair pair = bed.connect();
  const std::string chunk(65536, 'x');
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) {
    const ssize_t sent = ::send(pair.server.fd(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (sent > 0) taken += static_cast<std::size_t>(sent);
    bed.settle();
  }
  EXPECT_GT(taken, LinkLine::kWaitingMax);
  EXPECT_LT(taken, 3 * LinkLine::kWaitingMax) << "of 6.5 MB offered";
  disarm();
  std::size_t got = 0;
  for (int i = 0; i < 100; ++i) {
    got += pair.client.receive().size();
    bed.settle();
  }
  EXPECT_EQ(got, taken);
}

TEST_F(LinkTest, AChanceIsTakenOncePerConnection) {
  arm(R"("latencyUs":"1000000")", R"(,"trigger":{"nth":2})");
  Pair first = bed.connect();
  Pair second = bed.connect();
  first.client.send("one\n");
  second.client.send("two\n");
  bed.settle();
  EXPECT_EQ(first.server.receive(), "one\n");
  EXPECT_EQ(second.server.receive(), "");
  EXPECT_EQ(fired(), 1U);
  bed.advance(milliseconds(1001));
  EXPECT_EQ(second.server.receive(), "two\n");
}

TEST_F(LinkTest, AConnectionThatEndsWithBytesOnTheWayIsFreed) {
  arm(R"("latencyUs":"1000000")");
  {
    Pair pair = bed.connect();
    pair.client.send("one\n");
    pair.server.send("two");
    bed.settle();
  }
  bed.settle();
  bed.advance(seconds(2));
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

}  // namespace
}  // namespace misrule::proxy::testing
