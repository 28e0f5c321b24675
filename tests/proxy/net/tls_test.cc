// What TLS does between a socket and a pump: in time that is moved by hand, with sockets that fail
// where a test wants it.

#include <cerrno>
#include <chrono>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "proxy/net/conversations.h"
#include "proxy/net/tls_listener.h"
#include "tests/proxy/net/tls_peer.h"

namespace misrule::proxy::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// One authority for all tests: keys take their time under sanitizers.
const Authority& authority() {
  static const std::unique_ptr<Authority> made = [] {
    const std::string folder = ::testing::TempDir() + "tls_test_" + std::to_string(::getpid());
    fs::create_directory(folder);
    EXPECT_TRUE(make_authority(folder));
    auto loaded = *Authority::load(folder);
    fs::remove_all(folder);
    return loaded;
  }();
  return *made;
}

const Identity& server_identity() {
  static const Identity made = *authority().issue({"db"});
  return made;
}

struct Legs {
  bool client = true;
  bool server = true;
};

std::unique_ptr<TlsListener> tls_of(Legs legs) {
  Listener listener{.service = "db"};
  if (legs.client) listener.tls.emplace();
  if (legs.server) listener.upstream_tls = ServerTls{.verify = ServerTls::Verify::kNone};
  return *TlsListener::make(listener, &authority());
}

/// A connection with TLS on both legs, as far as both peers let it come.
class Meeting {
 public:
  explicit Meeting(TestBed& bed) : bed_(bed), wires_(bed.connect()) {}

  /// Until nothing changes any more.
  void shake_hands() {
    for (int round = 0; round < 8; ++round) {
      client.step(wires_.client);
      bed_.settle();
      server.step(wires_.server);
      bed_.settle();
    }
  }
  void say(std::string_view text) {
    client.send(wires_.client, text);
    bed_.settle();
  }
  void answer(std::string_view text) {
    server.send(wires_.server, text);
    bed_.settle();
  }
  std::string heard_by_server() { return server.receive(wires_.server); }
  std::string heard_by_client() { return client.receive(wires_.client); }
  Pair& wires() { return wires_; }

  TlsPeer client;
  TlsPeer server{&server_identity()};

 private:
  TestBed& bed_;
  Pair wires_;
};

TEST(Tls, LinesAreReadAndFaultsMadeInside) {
  TestBed bed(model::Protocol::kTcp, tls_of({}));
  Meeting meeting(bed);
  meeting.shake_hands();
  ASSERT_TRUE(meeting.client.stands() && meeting.server.stands());
  meeting.say("one\nswallow:\nswap:two\nanswer:three\n");
  EXPECT_EQ(meeting.heard_by_server(), "one\ntwo\n");
  EXPECT_EQ(meeting.heard_by_client(), "three\n");
  meeting.answer("four\n");
  EXPECT_EQ(meeting.heard_by_client(), "four\n");
  meeting.say("close:five\n");
  EXPECT_EQ(meeting.heard_by_client(), "five");
  EXPECT_TRUE(meeting.client.was_told_of_end());
}

TEST(Tls, SmallSendsAreEnough) {
  TestBed bed(model::Protocol::kTcp, tls_of({}));
  bed.sockets.chunk = 16;
  Meeting meeting(bed);
  meeting.shake_hands();
  const std::string line = std::string(300, 'x') + "\n";
  meeting.say(line);
  EXPECT_EQ(meeting.heard_by_server(), line);
}

TEST(Tls, AnEndThatIsToldIsToldOn) {
  TestBed bed(model::Protocol::kTcp, tls_of({}));
  Meeting meeting(bed);
  meeting.shake_hands();
  meeting.say("last\n");
  meeting.client.end(meeting.wires().client);  // And nothing of TCP: the end is TLS's own.
  bed.settle();
  EXPECT_EQ(meeting.heard_by_server(), "last\n");
  EXPECT_TRUE(meeting.server.was_told_of_end());
  EXPECT_TRUE(meeting.wires().server.at_end());
  meeting.answer("still heard\n");
  EXPECT_EQ(meeting.heard_by_client(), "still heard\n");
}

TEST(Tls, ACutIsHandedOnAsOne) {
  TestBed bed(model::Protocol::kTcp, tls_of({}));
  Meeting meeting(bed);
  meeting.shake_hands();
  meeting.wires().client.shut_sending();
  bed.settle();
  EXPECT_EQ(meeting.heard_by_server(), "");
  EXPECT_TRUE(meeting.wires().server.at_end());
  EXPECT_FALSE(meeting.server.was_told_of_end());
}

TEST(Tls, AHandshakeThatStallsEnds) {
  TestBed bed(model::Protocol::kTcp, tls_of({}));
  Meeting meeting(bed);
  bed.advance(seconds(600));  // Nothing was said yet: that is no handshake.
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 1U);
  meeting.wires().client.send(meeting.client.hello().substr(0, 20));
  bed.settle();
  EXPECT_EQ(bed.shard.connections(1).front().state, "tls handshake");
  bed.advance(seconds(59));
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 1U);
  bed.advance(seconds(2));
  EXPECT_THAT(bed.events.field("reason"), Contains(HasSubstr("nothing more came within 60 s")));
  bed.advance(seconds(3));
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

TEST(Tls, AServerThatStallsEnds) {
  TestBed bed(model::Protocol::kTcp, tls_of({.client = false}));
  Meeting meeting(bed);
  bed.advance(seconds(61));
  EXPECT_THAT(bed.events.field("reason"),
              Contains("the server's TLS: nothing more came within 60 s"));
  bed.advance(seconds(3));
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
}

TEST(Tls, AClientThatOnlyLooksIsNotTold) {
  TestBed bed(model::Protocol::kTcp, tls_of({}));
  Meeting meeting(bed);
  meeting.wires().client.close();
  bed.settle();
  bed.advance(seconds(3));
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U);
  EXPECT_THAT(bed.events.field("reason"), IsEmpty());
}

TEST(Tls, LinksMeetTheHandshakeToo) {
  TestBed bed(model::Protocol::kTcp, tls_of({}));
  bed.set_rules(R"({"rules":[{"id":"link","target":{"service":"db","interface":"main"},
                    "link":{"latency_us":"1000000","direction":"to_client"}}]})");
  Meeting meeting(bed);
  meeting.shake_hands();
  EXPECT_FALSE(meeting.client.stands());
  for (int round = 0; round < 4; ++round) {
    bed.advance(seconds(1));
    meeting.shake_hands();
  }
  ASSERT_TRUE(meeting.client.stands());
  meeting.answer("late\n");
  EXPECT_EQ(meeting.heard_by_client(), "");
  bed.advance(seconds(1));
  EXPECT_EQ(meeting.heard_by_client(), "late\n");
}

/// How many socket calls a whole exchange makes, of which the n-th fails.
std::size_t exchange(std::size_t fail_at, int error) {
  TestBed bed(model::Protocol::kTcp, tls_of({}));
  bed.sockets.fail_at = fail_at;
  bed.sockets.error = error;
  {
    Meeting meeting(bed);
    meeting.shake_hands();
    meeting.say("one\nanswer:two\n");
    meeting.answer("three\n");
    const std::string heard = meeting.heard_by_server();
    if (fail_at == 0) EXPECT_EQ(heard, "one\n");
    meeting.client.end(meeting.wires().client);
    bed.settle();
  }
  bed.settle();
  bed.advance(seconds(70));
  EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U) << fail_at;
  return bed.sockets.calls;
}

TEST(Tls, EverySocketCallMayFail) {
  const std::size_t calls = exchange(0, 0);
  ASSERT_GT(calls, 8U);
  for (const int error : {ECONNRESET, EPIPE, EINTR}) {
    for (std::size_t n = 1; n <= calls; ++n) exchange(n, error);
  }
}

TEST(Tls, EveryByteOfAHandshakeMayBeWrong) {
  const std::string hello = TlsPeer().hello();
  for (std::size_t at = 0; at < hello.size(); at += 3) {
    TestBed bed(model::Protocol::kTcp, tls_of({.server = false}));
    Pair wires = bed.connect();
    std::string spoilt = hello;
    spoilt[at] = static_cast<char>(spoilt[at] ^ 0x41);
    wires.client.send(spoilt);
    bed.settle();
    wires.client.send(std::string(at, '\x17'));
    wires.client.shut_sending();
    bed.settle();
    wires.client.close();
    wires.server.close();
    bed.advance(seconds(70));
    EXPECT_EQ(bed.shard.counts().connections_open.value(), 0U) << at;
  }
}

TEST(Tls, TlsThatNobodyEndsFlowsAndIsTold) {
  TestBed bed(make_conversation, model::Protocol::kPostgres);
  Pair wires = bed.connect();
  const std::string hello = TlsPeer().hello();
  wires.client.send(hello);
  bed.settle();
  EXPECT_EQ(wires.server.receive(), hello);
  EXPECT_THAT(bed.events.field("reason"), Contains(HasSubstr("Give the listener tls")));
}

TEST(Tls, WhatCannotBeUsedIsSaid) {
  const auto why = [](const Listener& listener, const Authority* signer) {
    const auto made = TlsListener::make(listener, signer);
    return made ? std::string("no error") : made.error().what;
  };
  EXPECT_THAT(why({.tls = ClientTls{}}, nullptr), HasSubstr("nobody to sign one"));
  EXPECT_THAT(why({.tls = ClientTls{.cert = "/none"}}, nullptr), HasSubstr("needs its key"));
  EXPECT_THAT(why({.tls = ClientTls{.cert = "/none", .key = "/none"}}, nullptr),
              HasSubstr("the certificate /none"));
  EXPECT_THAT(why({.upstream_tls = ServerTls{.ca = "/none"}}, nullptr),
              HasSubstr("the authority /none"));
  EXPECT_EQ(why({}, nullptr), "no error");
}

}  // namespace
}  // namespace misrule::proxy::testing
