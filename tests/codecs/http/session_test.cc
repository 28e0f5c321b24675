// What the client is owed, in which order it gets it, and what is told about it.

#include "codecs/http/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/codecs/http/http_rig.h"

namespace misrule::codecs::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(HttpOrder, withoutARuleEverythingFlowsAndIsTold) {
  Rig rig;
  EXPECT_EQ(rig.client(get("/a")), get("/a"));
  EXPECT_EQ(rig.server(kOk), kOk);
  EXPECT_THAT(rig.host.log, ElementsAre("decide 1 GET /a", "exchanged 1 200 did"));
}

TEST(HttpOrder, anAnswerIsInjectedAtOnceWhenNothingIsOwed) {
  Rig rig(on_path("/bad", replace_with(503)));
  EXPECT_EQ(rig.client(get("/bad")), "");
  EXPECT_EQ(rig.to_client(), injected_503());
  EXPECT_EQ(rig.client(get("/good")), get("/good"));
  EXPECT_EQ(rig.server(kOk), kOk);
  EXPECT_THAT(rig.host.log, ElementsAre("decide 1 GET /bad", "exchanged 1 503 did_not failed",
                                        "decide 2 GET /good", "exchanged 2 200 did"));
  EXPECT_EQ(rig.host.exchanges[0].tag, 7U);
  EXPECT_EQ(rig.host.exchanges[0].code, "503");
}

TEST(HttpOrder, fivePipelinedWithARuleOnTheThird) {
  Rig rig(on_path("/3", replace_with(503)));
  std::string all;
  for (const char* path : {"/1", "/2", "/3", "/4", "/5"}) all += get(path);
  EXPECT_EQ(rig.client(all), get("/1") + get("/2") + get("/4") + get("/5"));
  EXPECT_EQ(rig.to_client(), "");
  EXPECT_EQ(rig.server(reply_with("1")), reply_with("1"));
  EXPECT_EQ(rig.server(reply_with("2")), reply_with("2") + injected_503());
  EXPECT_EQ(rig.server(reply_with("4")), reply_with("4"));
  EXPECT_EQ(rig.server(reply_with("5")), reply_with("5"));
}

TEST(HttpOrder, theSameWhenAllRepliesComeAtOnce) {
  Rig rig(on_path("/3", replace_with(503)));
  for (const char* path : {"/1", "/2", "/3", "/4", "/5"}) rig.client(get(path));
  const std::string replies = reply_with("1") + reply_with("2") + reply_with("4") + reply_with("5");
  EXPECT_EQ(rig.server(replies),
            reply_with("1") + reply_with("2") + injected_503() + reply_with("4") + reply_with("5"));
}

TEST(HttpOrder, neighbouringAnswersLeaveTogether) {
  Rig rig([](const Facts& facts) {
    return facts.subject == "/1" || facts.subject == "/4" ? Verb{} : replace_with(503);
  });
  for (const char* path : {"/1", "/2", "/3", "/4", "/5"}) rig.client(get(path));
  EXPECT_EQ(rig.server(reply_with("1")), reply_with("1") + injected_503() + injected_503());
  EXPECT_EQ(rig.server(reply_with("4")), reply_with("4") + injected_503());
}

TEST(HttpOrder, anAnswerWaitsForAReplyThatHasBegun) {
  Rig rig(on_path("/bad", replace_with(503)));
  rig.client(get("/1"));
  rig.server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
  rig.client(get("/bad"));
  EXPECT_EQ(rig.to_client(), "");
  EXPECT_EQ(rig.server("cd"), "cd" + injected_503());
}

TEST(HttpOrder, dropWaitsForWhatIsOwedAndThenEndsTheConnection) {
  for (const bool reset : {false, true}) {
    Rig rig(on_path("/bad", close_verb(reset)));
    EXPECT_EQ(rig.client(get("/1") + get("/bad") + get("/later")), get("/1"));
    EXPECT_FALSE(rig.pump.closed());
    EXPECT_EQ(rig.server(kOk), kOk);
    EXPECT_TRUE(rig.pump.closed());
    EXPECT_EQ(rig.pump.reset(), reset);
    EXPECT_THAT(rig.host.log,
                ElementsAre("decide 1 GET /1", "decide 2 GET /bad", "exchanged 1 200 did",
                            "exchanged 2 connection closed did_not failed"));
  }
}

TEST(HttpOrder, dropOfTheFirstRequestIsAtOnce) {
  Rig rig(on_path("/bad", close_verb()));
  EXPECT_EQ(rig.client(get("/bad")), "");
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_EQ(rig.to_client(), "");
}

TEST(HttpOrder, nothingIsInjectedBehindAReplyThatEndsTheConnection) {
  Rig rig(on_path("/bad", replace_with(503)));
  rig.client(get("/1") + get("/bad"));
  const std::string last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(rig.server(last), last);
  rig.pump.end(Direction::kToClient);
  EXPECT_EQ(rig.to_client(), "");
  EXPECT_EQ(rig.host.log.back(), "exchanged 2 connection closed did_not failed");
}

TEST(HttpOrder, aServerThatLeavesIsToldOfEveryOpenUnit) {
  Rig rig;
  rig.client(get("/1") + get("/2"));
  rig.server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  rig.pump.end(Direction::kToClient);
  EXPECT_THAT(rig.host.log, ElementsAre("decide 1 GET /1", "decide 2 GET /2",
                                        "exchanged 1 connection closed unknown failed",
                                        "exchanged 2 connection closed unknown failed"));
}

TEST(HttpOrder, requestsThatCannotBeReadAreStillPrecededByWhatIsOwed) {
  Rig rig(on_path("/bad", replace_with(503)));
  const std::string broken = "GET /x HTTP/1.1\r\nHost : shop\r\n\r\n";
  EXPECT_EQ(rig.client(get("/1") + get("/bad") + broken + get("/bad")),
            get("/1") + broken + get("/bad"));
  EXPECT_TRUE(rig.host.opaque.has_value());
  EXPECT_EQ(rig.server(kOk), std::string(kOk) + injected_503());
  EXPECT_EQ(rig.server("anything at all"), "anything at all");
}

TEST(HttpOrder, repliesThatCannotBeReadEndAConnectionThatIsOwedAnAnswer) {
  Rig rig(on_path("/bad", replace_with(503)));
  rig.client(get("/1") + get("/bad"));
  rig.server("garbage");
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_THAT(*rig.host.opaque, HasSubstr("status line"));
}

TEST(HttpOrder, repliesThatCannotBeReadFlowOtherwise) {
  Rig rig;
  rig.client(get("/1"));
  EXPECT_EQ(rig.server("garbage"), "garbage");
  EXPECT_EQ(rig.client("more"), "more");
  EXPECT_FALSE(rig.pump.closed());
  EXPECT_THAT(rig.host.log, testing::Contains("exchanged 1 not decoded unknown"));
}

TEST(HttpOrder, theLedgerIsBounded) {
  Rig rig({}, {.pipelined_max = 3});
  for (int i = 0; i < 3; ++i) rig.client(get("/"));
  EXPECT_FALSE(rig.host.opaque.has_value());
  EXPECT_EQ(rig.client(get("/4")), get("/4"));
  EXPECT_EQ(*rig.host.opaque, "more than 3 requests unanswered");
}

}  // namespace
}  // namespace misrule::codecs::http
