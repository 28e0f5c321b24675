// What a connection does with what its conversation says, in time that is moved by hand.

#include <cerrno>
#include <chrono>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "codecs/http/conversation.h"
#include "codecs/tcp/conversation.h"
#include "tests/proxy/net/test_bed.h"

namespace misrule::proxy::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::unique_ptr<codecs::Conversation> make_tcp(model::Protocol, codecs::ConversationHost& host) {
  return codecs::tcp::make_conversation(host);
}

std::unique_ptr<codecs::Conversation> make_http(model::Protocol, codecs::ConversationHost& host) {
  return codecs::http::make_conversation(host);
}

TEST(ConnectionTest, BytesPassBothWays) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.client.send("one\ntwo\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "one\ntwo\n");
  pair.server.send("answers");
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "answers");
  EXPECT_EQ(bed.shard.counts().messages_total.value(), 2U);
  EXPECT_EQ(bed.shard.counts().bytes_to_server.value(), 8U);
  EXPECT_EQ(bed.shard.counts().bytes_to_client.value(), 7U);
}

// What a service knows of another follows from it: nothing is told that did not get there.
TEST(ConnectionTest, WhatGetsThereIsTold) {
  TestBed bed;
  Pair pair = bed.connect();
  EXPECT_EQ(bed.events.take_course(), "");
  pair.client.send("one\n");
  bed.settle();
  const std::string sent = bed.events.take_course();
  EXPECT_EQ(sent, "passed api>db ") << "a unit of lines ends when it has passed";
  pair.server.send("answer");
  bed.settle();
  EXPECT_EQ(bed.events.take_course(), "db>api ");
  pair.client.send("swallow:b\n");
  pair.client.send("answer:c\n");
  bed.settle();
  EXPECT_EQ(bed.events.take_course().find("db"), std::string::npos) << "nothing came of the server";
  pair.client.send("hold 3:d\n");
  bed.settle();
  EXPECT_EQ(bed.events.take_course().find("api>db"), std::string::npos) << "it is held";
  bed.advance(seconds(3));
  EXPECT_EQ(pair.server.receive(), "one\nhold 3:d\n");
  EXPECT_NE(bed.events.take_course().find("api>db"), std::string::npos);
  pair.client.send("swap:e\n");
  bed.settle();
  EXPECT_NE(bed.events.take_course().find("api>db"), std::string::npos) << "changed, it comes";
}

// The event of a reply knows what the server had done by then.
TEST(ConnectionTest, AReplyOfTheServerPassesBeforeItsEvent) {
  TestBed bed(make_http, model::Protocol::kHttp);
  Pair pair = bed.connect();
  pair.client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  bed.settle();
  EXPECT_EQ(bed.events.take_course(), "api>db ");
  pair.server.send("HTTP/1.1 204 No Content\r\n\r\n");
  bed.settle();
  EXPECT_TRUE(bed.events.take_course().starts_with("db>api 204 "));
  constexpr std::string_view kRule =
      R"({"rules":[{"id":"r","target":{"service":"db","interface":"main"},"http":{"path":"/no"},)"
      R"("error":{"status":503}}]})";
  bed.set_rules(kRule);
  pair.client.send("GET /no HTTP/1.1\r\nHost: x\r\n\r\n");
  bed.settle();
  EXPECT_EQ(bed.events.take_course(), "503 ") << "made up: the server has no part in it";
}

TEST(ConnectionTest, AnUnfinishedMessageWaitsAndIsNotLost) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.client.send("one\nhal");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "one\n");
  pair.client.send("f\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "half\n");
}

TEST(ConnectionTest, OneByteAtATimeIsTheSame) {
  TestBed bed;
  bed.sockets.chunk = 1;
  Pair pair = bed.connect();
  for (const char byte : std::string_view("one\nswap:two\nanswer:three\nfour\n")) {
    pair.client.send({&byte, 1});
    bed.settle();
  }
  EXPECT_EQ(pair.server.receive(), "one\ntwo\nfour\n");
  EXPECT_EQ(pair.client.receive(), "three\n");
}

TEST(ConnectionTest, AMessageLargerThanEveryBufferIsGathered) {
  TestBed bed;
  Pair pair = bed.connect();
  const std::string half(100'000, 'x');
  pair.client.send(half);
  bed.settle();
  pair.client.send(half + "\n");
  std::string got;
  for (int i = 0; i < 5; ++i) {
    bed.settle();
    got += pair.server.receive();
  }
  EXPECT_EQ(got, half + half + "\n");
}

TEST(ConnectionTest, SubstitutesAnswersAndSwallows) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.client.send("a\nswallow:b\nswap:c\nanswer:d\ne\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "a\nc\ne\n");
  EXPECT_EQ(pair.client.receive(), "d\n");
}

TEST(ConnectionTest, AHoldStopsOneDirectionForItsTime) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.client.send("a\nhold 3:b\nc\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "a\n");
  bed.advance(milliseconds(2999));
  EXPECT_EQ(pair.server.receive(), "");
  pair.server.send("meanwhile");
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "meanwhile");
  bed.advance(milliseconds(1));
  EXPECT_EQ(pair.server.receive(), "hold 3:b\nc\n");
}

TEST(ConnectionTest, AHeldRequestOfAClientThatIsGoneNeverArrives) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.client.send("hold 3:b\n");
  bed.settle();
  pair.client.close();
  bed.settle();
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
  bed.advance(seconds(5));
  EXPECT_EQ(pair.server.receive(), "");
  EXPECT_TRUE(pair.server.at_end());
}

TEST(ConnectionTest, AHeldReplyOutlivesItsServer) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.client.send("question\n");
  pair.client.shut_sending();
  bed.settle();
  pair.server.send("hold 3:answer");
  pair.server.close();
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "");
  EXPECT_FALSE(pair.client.at_end());
  bed.advance(seconds(3));
  EXPECT_EQ(pair.client.receive(), "hold 3:answer");
  EXPECT_TRUE(pair.client.at_end());
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

TEST(ConnectionTest, HalfCloseTravelsAndTheAnswerComesBack) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.client.send("question\n");
  pair.client.shut_sending();
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "question\n");
  EXPECT_TRUE(pair.server.at_end());
  pair.server.send("answer");
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "answer");
  EXPECT_FALSE(pair.client.at_end());
  pair.server.close();
  bed.settle();
  EXPECT_EQ(pair.client.receive(), "");
  EXPECT_TRUE(pair.client.at_end());
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

TEST(ConnectionTest, BytesThatCameWithTheEndArrive) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.server.send(std::string(1000, 'x'));
  pair.server.close();
  bed.settle();
  EXPECT_EQ(pair.client.receive().size(), 1000U);
  EXPECT_TRUE(pair.client.at_end());
}

TEST(ConnectionTest, AGracefulCloseTellsFirstAndWaitsForThePeers) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.client.send("a\nclose:bye\nnever\n");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "a\n");
  EXPECT_TRUE(pair.server.at_end());
  EXPECT_EQ(pair.client.receive(), "bye");
  EXPECT_TRUE(pair.client.at_end());
  pair.client.send("late\n");
  bed.settle();
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 1U);
  pair.client.close();
  pair.server.close();
  bed.settle();
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

TEST(ConnectionTest, AGracefulCloseEndsAfterTwoSecondsWithPeersThatStay) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.client.send("close:bye\n");
  bed.settle();
  bed.advance(milliseconds(1999));
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 1U);
  bed.advance(milliseconds(1));
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

TEST(ConnectionTest, AResetEndsAtOnce) {
  TestBed bed;
  Pair pair = bed.connect();
  pair.client.send("a\nreset:\n");
  bed.settle();
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
  EXPECT_EQ(pair.server.receive(), "a\n");
  EXPECT_TRUE(pair.server.at_end());
}

TEST(ConnectionTest, CutMeansTheConsumersConnectionsToTheService) {
  TestBed bed;
  Pair pair = bed.connect();
  EXPECT_EQ(bed.shard.cut("web", "db", ""), 0U);
  EXPECT_EQ(bed.shard.cut("api", "other", ""), 0U);
  EXPECT_EQ(bed.shard.cut("api", "db", "admin"), 0U);
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 1U);
  EXPECT_EQ(bed.shard.cut("api", "db", ""), 1U);
  bed.settle();
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

TEST(ConnectionTest, AStalledReaderStopsItsSenderAndNothingIsQueued) {
  TestBed bed;
  Pair pair = bed.connect();
  const std::string chunk(100'000, 'x');
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    const ssize_t sent = ::send(pair.server.fd(), chunk.data(), chunk.size(), MSG_NOSIGNAL);
    if (sent > 0) taken += static_cast<std::size_t>(sent);
    bed.shard.loop().tick(0);
  }
  // Two sockets' kernel buffers and one of ours: far below the 100 MB that were offered.
  EXPECT_LT(taken, 2'000'000U);
  std::size_t arrived = 0;
  for (int i = 0; i < 100; ++i) {
    arrived += pair.client.receive().size();
    bed.settle();
  }
  EXPECT_EQ(arrived, taken);
}

TEST(ConnectionTest, ARuleAddedHalfWayFiresOnAnOpenConnection) {
  TestBed bed(make_tcp);
  Pair before = bed.connect();
  before.client.send("flows");
  bed.settle();
  EXPECT_EQ(before.server.receive(), "flows");

  bed.set_rules(R"({"rules":[{"id":"slow","target":{"service":"db","interface":"main"},
                   "tcp":{},"delay":{"duration_us":2000000}}]})");
  Pair held = bed.connect();
  held.client.send("waits");
  bed.advance(milliseconds(1999));
  EXPECT_EQ(held.server.receive(), "");
  bed.advance(milliseconds(1));
  EXPECT_EQ(held.server.receive(), "waits");
  EXPECT_EQ(bed.book.tallies().at(0).fired, 1U);
}

TEST(ConnectionTest, WhatARuleHoldsGoesOnWhenTheRuleGoes) {
  TestBed bed(make_tcp);
  bed.set_rules(R"({"rules":[{"id":"slow","target":{"service":"db","interface":"main"},
                   "tcp":{},"delay":{"duration_us":2000000}}]})");
  Pair pair = bed.connect();
  pair.client.send("waits");
  bed.settle();
  EXPECT_EQ(pair.server.receive(), "");
  bed.set_rules(R"({"rules":[]})");
  EXPECT_EQ(pair.server.receive(), "waits");
  EXPECT_EQ(bed.events.field("reason"), std::vector<std::string>{"the rule ended"});
  EXPECT_EQ(bed.events.field("rule"), std::vector<std::string>{"slow"});
}

TEST(ConnectionTest, EachDecidedUnitIsToldOnceWithWhatBecameOfIt) {
  TestBed bed(make_tcp);
  {
    Pair pair = bed.connect();
    pair.client.send("x");
    bed.settle();
  }
  bed.settle();
  EXPECT_EQ(bed.events.field("action"), std::vector<std::string>{"forward"});
  EXPECT_EQ(bed.events.field("reply"), std::vector<std::string>{"connection closed"});
  EXPECT_EQ(bed.events.field("from"), std::vector<std::string>{"api"});
  EXPECT_EQ(bed.events.field("connection"), std::vector<std::string>{"api#1"});
}

TEST(ConnectionTest, AFailedReadIsToldToTheOtherSideAsAnEnd) {
  TestBed bed;
  Pair pair = bed.connect();
  bed.sockets.calls = 0;
  bed.sockets.fail_at = 1;
  bed.sockets.error = ECONNRESET;
  pair.client.send("x\n");
  bed.settle();
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
  EXPECT_EQ(pair.server.receive(), "");
  EXPECT_TRUE(pair.server.at_end());
}

TEST(ConnectionTest, WhicheverSocketCallFailsTheConnectionEndsAndNothingLeaks) {
  for (std::size_t n = 1; n <= 12; ++n) {
    TestBed bed;
    Pair pair = bed.connect();
    bed.sockets.calls = 0;
    bed.sockets.fail_at = n;
    bed.sockets.error = n % 2 == 0 ? EPIPE : ECONNRESET;
    pair.client.send("a\nanswer:b\nswap:c\n");
    bed.settle();
    // The connection may be gone by now.
    ::send(pair.server.fd(), "reply", 5, MSG_NOSIGNAL);
    bed.settle();
    pair.client.close();
    pair.server.close();
    bed.advance(seconds(3));
    EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U) << "call " << n;
  }
}

TEST(ConnectionTest, AnInterruptedCallIsTriedAgain) {
  for (std::size_t n = 1; n <= 4; ++n) {
    TestBed bed;
    Pair pair = bed.connect();
    bed.sockets.calls = 0;
    bed.sockets.fail_at = n;
    bed.sockets.error = EINTR;
    pair.client.send("a\nb\n");
    bed.settle();
    EXPECT_EQ(pair.server.receive(), "a\nb\n") << "call " << n;
  }
}

}  // namespace
}  // namespace misrule::proxy::testing
