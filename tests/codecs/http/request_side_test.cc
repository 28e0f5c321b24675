#include "codecs/http/request_side.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/codecs/http/http_rig.h"

namespace misrule::codecs::http {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

constexpr std::string_view kClose = "Connection: close\r\n";

TEST(HttpRequest, drainingIsBoundedByLength) {
  const Limits limits = {.drain_bytes_max = 100};
  Rig at_limit(on_path("/bad", replace_with(503)), limits);
  at_limit.client(post("/bad", std::string(100, 'x')));
  EXPECT_EQ(at_limit.to_client(), injected_503());
  EXPECT_FALSE(at_limit.pump.closed());
  Rig beyond(on_path("/bad", replace_with(503)), limits);
  beyond.client(post("/bad", std::string(101, 'x')));
  EXPECT_EQ(beyond.to_client(), injected_503(kClose));
  EXPECT_TRUE(beyond.pump.closed());
  EXPECT_FALSE(beyond.pump.reset());
}

TEST(HttpRequest, drainingIsBoundedWithoutLength) {
  Rig rig(on_path("/bad", replace_with(503)), {.drain_bytes_max = 100});
  rig.client("POST /bad HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n");
  rig.client("50\r\n" + std::string(80, 'x') + "\r\n");
  EXPECT_EQ(rig.to_client(), "");
  rig.client("50\r\n" + std::string(80, 'x') + "\r\n");
  EXPECT_EQ(rig.to_client(), injected_503(kClose));
  EXPECT_TRUE(rig.pump.closed());
}

TEST(HttpRequest, aBrokenBodyIsAnsweredAndEnded) {
  Rig rig(on_path("/bad", replace_with(503)));
  rig.client("POST /bad HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nxyz");
  EXPECT_EQ(rig.to_client(), injected_503(kClose));
  EXPECT_TRUE(rig.pump.closed());
}

TEST(HttpRequest, anExpectedContinueIsAnsweredFinally) {
  Rig rig(on_path("/bad", replace_with(503)));
  rig.client("POST /bad HTTP/1.1\r\nHost: s\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(rig.to_client(), injected_503(kClose));
  EXPECT_TRUE(rig.pump.closed());
}

TEST(HttpRequest, aForwardedExpectFlowsAtOnceAndBothWays) {
  Rig rig;
  const std::string head =
      "POST /up HTTP/1.1\r\nHost: s\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  EXPECT_EQ(rig.client(head), head);
  EXPECT_EQ(rig.server("HTTP/1.1 100 Continue\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(rig.client("body"), "body");
  EXPECT_EQ(rig.server(kOk), kOk);
  EXPECT_EQ(rig.client(get("/next")), get("/next"));
  EXPECT_FALSE(rig.host.opaque.has_value());
  EXPECT_EQ(rig.host.decided, 2U);
}

TEST(HttpRequest, aBodyThatMayOrMayNotComeIsNotGuessedAt) {
  Rig rig;
  rig.client("POST / HTTP/1.1\r\nHost: s\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  rig.server("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(rig.client(get("/next")), get("/next"));
  EXPECT_THAT(*rig.host.opaque, HasSubstr("Expect"));
  EXPECT_EQ(rig.server(kOk), kOk);
}

TEST(HttpRequest, anOldClientThatKeepsAliveIsToldThatItMay) {
  Rig rig(on_path("/bad", replace_with(503)));
  rig.client("GET /bad HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  EXPECT_EQ(rig.to_client(), injected_503("Connection: keep-alive\r\n"));
  EXPECT_FALSE(rig.pump.closed());
}

TEST(HttpRequest, aClientThatWantsTheEndGetsIt) {
  for (const std::string head :
       {"GET /bad HTTP/1.0\r\n\r\n", "GET /bad HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n"}) {
    Rig rig(on_path("/bad", replace_with(503)));
    rig.client(head);
    EXPECT_EQ(rig.to_client(), injected_503(kClose));
    EXPECT_TRUE(rig.pump.closed());
  }
}

TEST(HttpRequest, headGetsNoBodyAndTheConnectionGoesOn) {
  Rig rig(on_path("/bad", replace_with(503, "no\n")));
  rig.client("HEAD /bad HTTP/1.1\r\nHost: s\r\n\r\n");
  const std::string answer = rig.to_client();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
  EXPECT_EQ(rig.client(get("/next")), get("/next"));
  EXPECT_EQ(rig.server(kOk), kOk);
}

TEST(HttpRequest, aHeldRequestHoldsWhatIsBehindItAndNotTheReplies) {
  Rig rig(on_path("/slow", hold_request(seconds(3))));
  EXPECT_EQ(rig.client(get("/1") + get("/slow") + get("/3")), get("/1"));
  ASSERT_TRUE(rig.pump.held(Direction::kToServer).has_value());
  EXPECT_EQ(rig.pump.held(Direction::kToServer)->for_at_most, seconds(3));
  EXPECT_EQ(rig.conversation->held_unit(), 2U);
  EXPECT_EQ(rig.server(kOk), kOk);
  EXPECT_EQ(rig.client(get("/4")), "");
  rig.pump.release(Direction::kToServer);
  EXPECT_EQ(rig.pump.to_server(), get("/1") + get("/slow") + get("/3") + get("/4"));
  EXPECT_FALSE(rig.conversation->held_unit().has_value());
  rig.server(kOk);
  EXPECT_EQ(rig.host.exchanges[1].unit, 2U);
  EXPECT_EQ(rig.host.exchanges[1].tag, 7U);
}

TEST(HttpRequest, aHoldThatEndsOtherwiseIsTold) {
  Rig rig(on_path("/slow", hold_request(seconds(3))));
  rig.client(get("/slow"));
  rig.pump.release(Direction::kToServer, Released::kRuleEnded);
  EXPECT_EQ(rig.pump.to_server(), get("/slow"));
  EXPECT_THAT(rig.host.log, ElementsAre("decide 1 GET /slow", "hold_ended 1 rule_ended"));
}

TEST(HttpRequest, aHoldMayComeBeforeAnAnswer) {
  Verb verb = replace_with(503);
  verb.hold = seconds(1);
  Rig rig(on_path("/bad", verb));
  rig.client(post("/bad", "body"));
  EXPECT_EQ(rig.to_client(), "");
  rig.pump.release(Direction::kToServer);
  EXPECT_EQ(rig.to_client(), injected_503());
  EXPECT_EQ(rig.pump.to_server(), "");
}

TEST(HttpRequest, swallowAnswersNothingEverAgain) {
  Rig rig(on_path("/bad", {.kind = Verb::Kind::kSwallow}));
  EXPECT_EQ(rig.client(get("/1") + get("/bad") + get("/3")), get("/1"));
  EXPECT_EQ(rig.server(kOk), kOk);
  EXPECT_EQ(rig.client(get("/4")), "");
  EXPECT_FALSE(rig.pump.closed());
}

TEST(HttpRequest, emptyLinesBeforeARequestFlow) {
  Rig rig;
  const std::string bytes = post("/", "x") + "\r\n" + get("/2");
  EXPECT_EQ(rig.client(bytes), bytes);
  EXPECT_EQ(rig.host.decided, 2U);
}

TEST(HttpRequest, aClientThatEndsItsStreamStillGetsItsAnswers) {
  Rig rig(on_path("/2", replace_with(503)));
  rig.client(get("/1") + get("/2"));
  rig.pump.end(Direction::kToServer);
  EXPECT_EQ(rig.server(kOk), std::string(kOk) + injected_503());
}

TEST(HttpRequest, manyOnOneConnectionWithARuleOnEachHundredth) {
  Rig rig([](const Facts& facts) {
    return facts.unit % 100 == 0 ? replace_with(503, "injected") : Verb{};
  });
  int injected = 0;
  for (int i = 1; i <= 1000; ++i) {
    const std::string request =
        post(fmt::format("/{}", i), std::string(static_cast<std::size_t>(i % 50), 'b'));
    if (rig.client(request).empty()) {
      ++injected;
      EXPECT_THAT(rig.to_client(), EndsWith("\r\n\r\ninjected"));
    } else {
      const std::string reply = reply_with(std::to_string(i));
      EXPECT_EQ(rig.server(reply), reply);
    }
  }
  EXPECT_EQ(injected, 10);
  EXPECT_FALSE(rig.host.opaque.has_value());
  EXPECT_EQ(rig.host.exchanges.size(), 1000U);
}

}  // namespace
}  // namespace misrule::codecs::http
