#include "codecs/http/reply_side.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/codecs/http/http_rig.h"

namespace misrule::codecs::http {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

// Sends `request`, replies `reply`, and tells whether the next exchange is still in step.
void expect_in_step(std::string_view request, std::string_view reply) {
  Rig rig(on_path("/bad", replace_with(503)));
  EXPECT_EQ(rig.client(request), request);
  EXPECT_EQ(rig.server(reply), reply);
  EXPECT_EQ(rig.host.exchanges.size(), 1U);
  rig.client(get("/bad"));
  EXPECT_EQ(rig.to_client(), injected_503());
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(HttpReply, bodiesOfEveryKindEndWhereTheyEnd) {
  expect_in_step(get("/"), kOk);
  expect_in_step(get("/"), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  expect_in_step(get("/"),
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n1a;ext=\"1\"\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX: y\r\n\r\n");
  expect_in_step(get("/"), "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
  expect_in_step(get("/"), "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
  expect_in_step("HEAD / HTTP/1.1\r\nHost: s\r\n\r\n",
                 "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
  expect_in_step("HEAD / HTTP/1.1\r\nHost: s\r\n\r\n",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(HttpReply, announcementsAreNotTheAnswer) {
  expect_in_step(get("/"),
                 "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                 "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
}

TEST(HttpReply, aBodyWithoutLengthEndsWithTheStream) {
  Rig rig;
  rig.client(get("/"));
  const std::string reply = "HTTP/1.1 200 OK\r\n\r\nas long as it";
  EXPECT_EQ(rig.server(reply), reply);
  EXPECT_EQ(rig.server(" takes"), " takes");
  EXPECT_TRUE(rig.host.exchanges.empty());
  rig.pump.end(Direction::kToClient);
  EXPECT_EQ(rig.host.log.back(), "exchanged 1 200 did");
}

TEST(HttpReply, aReplyMayComeBeforeTheRequestIsComplete) {
  Rig rig;
  const std::string request = post("/", "0123456789");
  rig.client(request.substr(0, request.size() - 5));
  EXPECT_EQ(rig.server(kOk), kOk);
  rig.client("56789" + get("/2"));
  EXPECT_EQ(rig.host.decided, 2U);
  EXPECT_EQ(rig.server(kOk), kOk);
  EXPECT_EQ(rig.host.exchanges.size(), 2U);
}

TEST(HttpReply, aServerMaySpeakUnasked) {
  Rig rig;
  const std::string timeout =
      "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlate";
  EXPECT_EQ(rig.server(timeout), timeout);
  EXPECT_TRUE(rig.host.exchanges.empty());
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(HttpReply, aHeldReplyHoldsWhatIsBehindItAndNotTheRequests) {
  Rig rig(on_path("/slow", hold_reply(seconds(2))));
  rig.client(get("/slow") + get("/2"));
  EXPECT_EQ(rig.server(reply_with("1") + reply_with("2")), "");
  EXPECT_EQ(rig.pump.held(Direction::kToClient)->for_at_most, seconds(2));
  EXPECT_EQ(rig.conversation->held_unit(), 1U);
  EXPECT_EQ(rig.client(get("/3")), get("/3"));
  rig.pump.release(Direction::kToClient, Released::kRuleEnded);
  EXPECT_EQ(rig.to_client(), reply_with("1") + reply_with("2"));
  EXPECT_THAT(rig.host.log, testing::Contains("hold_ended 1 rule_ended"));
}

// A rule on the reply's status: what becomes of `reply` to GET /, and of the next exchange.
std::string decided_by_status(Rig& rig, const Verb& verb, std::string_view reply) {
  rig.host.wanted_phases = {Phase::kReply};
  rig.host.decide_as = [&verb](const Facts& facts) {
    const auto is_503 = [](std::string_view status) { return status == "503"; };
    const bool hit =
        facts.phase == Phase::kReply && facts.details->any(Detail::kReplyStatus, {}, is_503);
    return hit ? verb : Verb{};
  };
  rig.client(get("/ok"));
  EXPECT_EQ(rig.server(kOk), kOk);
  rig.client(get("/"));
  return rig.server(reply);
}

const std::string kBusyHead = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 8\r\n\r\n";
const std::string kBusy = kBusyHead + "01234567";

TEST(HttpReply, byItsStatusCorrupted) {
  Rig rig;
  const Verb verb = plan_verb(Verb::Kind::kCorrupt, {.bytes = 8});
  const std::string seen = decided_by_status(rig, verb, kBusy);
  ASSERT_EQ(seen.size(), kBusy.size());
  EXPECT_THAT(seen, testing::StartsWith(kBusyHead));
  for (std::size_t at = kBusyHead.size(); at < kBusy.size(); ++at) EXPECT_NE(seen[at], kBusy[at]);
  EXPECT_EQ(rig.host.log.back(), "exchanged 2 503, corrupted did failed");
  rig.client(get("/next"));
  EXPECT_EQ(rig.server(kOk), kOk);
}

TEST(HttpReply, byItsStatusWithAnotherLength) {
  Rig rig;
  const Verb verb = plan_verb(Verb::Kind::kCorrupt, {.framing = true});
  EXPECT_THAT(decided_by_status(rig, verb, kBusy), HasSubstr("Content-Length: 4\r\n\r\n01234567"));
}

TEST(HttpReply, byItsStatusCut) {
  Rig rig;
  const Verb verb = plan_verb(Verb::Kind::kTruncate, {.bytes = 3});
  EXPECT_EQ(decided_by_status(rig, verb, kBusy), kBusyHead + "012");
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_EQ(rig.host.log.back(), "exchanged 2 connection closed within 503 did failed");
}

TEST(HttpReply, byItsStatusHeld) {
  Rig rig;
  EXPECT_EQ(decided_by_status(rig, hold_request(seconds(9)), kBusy), "");
  EXPECT_EQ(rig.pump.held(Direction::kToClient)->for_at_most, seconds(9));
  EXPECT_EQ(rig.client(get("/next")), get("/next"));
  rig.pump.release(Direction::kToClient, Released::kRuleEnded);
  EXPECT_EQ(rig.to_client(), kBusy);
  EXPECT_EQ(rig.server(kOk), kOk);
}

TEST(HttpReply, byItsStatusWithoutABodyNothingCanBeDamaged) {
  for (const Verb::Kind kind : {Verb::Kind::kCorrupt, Verb::Kind::kTruncate}) {
    Rig rig;
    const std::string empty = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    EXPECT_EQ(decided_by_status(rig, plan_verb(kind, {.bytes = 1}), empty), empty);
    EXPECT_THAT(rig.host.log, testing::Contains("skipped 2 there is no body"));
  }
}

TEST(HttpReply, aSwitchOfProtocolsIsATunnel) {
  Rig rig;
  const std::string ask =
      "GET /chat HTTP/1.1\r\nHost: s\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n";
  EXPECT_EQ(rig.client(ask), ask);
  const std::string granted = "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi";
  EXPECT_EQ(rig.server(granted), granted);
  EXPECT_EQ(rig.client("\x81\x01\r\n"), "\x81\x01\r\n");
  EXPECT_EQ(rig.server("GET / HTTP/1.1"), "GET / HTTP/1.1");
  EXPECT_THAT(rig.host.log, ElementsAre("decide 1 GET /chat", "exchanged 1 101 did",
                                        "opaque switched to another protocol (101)"));
}

TEST(HttpReply, aRefusedSwitchIsAnOrdinaryReply) {
  expect_in_step("GET /c HTTP/1.1\r\nHost: s\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
                 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST(HttpReply, whatFollowsARequestToSwitchIsNotGuessedAt) {
  Rig rig;
  rig.client("GET /c HTTP/1.1\r\nHost: s\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
  EXPECT_EQ(rig.client(get("/2")), get("/2"));
  EXPECT_THAT(*rig.host.opaque, HasSubstr("switch protocols"));
}

TEST(HttpReply, connectIsATunnelWhenItIsGranted) {
  Rig rig;
  rig.client("CONNECT shop:443 HTTP/1.1\r\nHost: shop:443\r\n\r\n");
  EXPECT_EQ(rig.host.log.front(), "decide 1 CONNECT shop:443");
  EXPECT_EQ(rig.server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\x16\x03"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\x16\x03");
  EXPECT_EQ(rig.client("\x16\x03\x01"), "\x16\x03\x01");
  EXPECT_EQ(*rig.host.opaque, "a CONNECT tunnel");
}

TEST(HttpReply, connectThatIsRefusedIsAnOrdinaryReply) {
  expect_in_step("CONNECT shop:443 HTTP/1.1\r\nHost: shop:443\r\n\r\n",
                 "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
}

TEST(HttpReply, aBrokenChunkFlowsUndecoded) {
  Rig rig;
  rig.client(get("/"));
  const std::string reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello";
  EXPECT_EQ(rig.server(reply), reply);
  EXPECT_THAT(*rig.host.opaque, HasSubstr("reply body"));
}

TEST(HttpReply, failedMeansFourHundredAndMore) {
  Rig rig;
  rig.client(get("/") + get("/"));
  rig.server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  rig.server("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(rig.host.exchanges[0].failed);
  EXPECT_FALSE(rig.host.exchanges[1].failed);
}

}  // namespace
}  // namespace misrule::codecs::http
