#include "codecs/http/websocket_side.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/codecs/http/http_rig.h"

namespace misrule::codecs::http {
namespace {

const std::string kAsk =
    "GET /chat HTTP/1.1\r\nHost: s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const std::string kGranted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

std::string frame(std::string_view text, char first = '\x81') {
  return std::string{first, static_cast<char>(text.size())} + std::string(text);
}

// With a mask that changes nothing.
std::string masked(std::string_view text, char first = '\x81') {
  return std::string{first, static_cast<char>(0x80U | text.size()), 0, 0, 0, 0} + std::string(text);
}

std::vector<std::string> expect_talk(const Recording& talk, Outcome expected, const Verb& verb,
                                     bool wanted = true) {
  Recording dialogue = {{Direction::kToServer, kAsk}, {Direction::kToClient, kGranted}};
  dialogue.insert(dialogue.end(), talk.begin(), talk.end());
  expected.to_server.insert(0, kAsk);
  expected.to_client.insert(0, kGranted);
  return expect_outcome(dialogue, expected, [&](RecordingHost& host) {
    if (wanted) host.wanted_phases = {Phase::kWebSocket};
    host.decide_as = [&verb](const Facts& facts) {
      const auto is_hit = [](std::string_view text) { return text == "hit"; };
      const bool hit =
          facts.phase == Phase::kWebSocket && facts.details->any(Detail::kMessage, {}, is_hit);
      return hit ? verb : Verb{};
    };
  });
}

TEST(WebSocketSide, withoutRulesEverythingPasses) {
  const std::string all = masked("hit") + masked("", '\x89') + masked("part", '\x01') +
                          masked("p", '\x8a') + masked("end", '\x80');
  const std::string back = frame("hit") + frame("x", '\x88');
  for (const bool wanted : {false, true}) {
    const auto log =
        expect_talk({{Direction::kToServer, masked("hit")}, {Direction::kToClient, back}},
                    {.to_server = masked("hit"), .to_client = back}, {}, wanted);
    EXPECT_EQ(log.size(), wanted ? 6U : 2U);
  }
  expect_talk({{Direction::kToServer, all}}, {.to_server = all}, {}, false);
}

TEST(WebSocketSide, controlFramesPassByAMessageThatIsGathered) {
  const std::string sent = masked("hi", '\x01') + masked("p", '\x89') + masked("t", '\x80');
  expect_talk({{Direction::kToServer, sent}},
              {.to_server = masked("p", '\x89') + masked("hi", '\x01') + masked("t", '\x80')}, {});
}

TEST(WebSocketSide, aMessageIsLostTwiceOrLater) {
  const Recording talk = {{Direction::kToServer, masked("hit") + masked("next")}};
  expect_talk(talk, {.to_server = masked("next")}, close_verb());
  expect_talk(talk, {.to_server = masked("hit") + masked("hit") + masked("next")},
              plan_verb(Verb::Kind::kDuplicate));
  expect_talk(talk, {.to_server = masked("hit") + masked("next")}, hold_request(Duration(5)));
}

TEST(WebSocketSide, anErrorClosesWithItsCode) {
  Verb verb = replace_with(1011);
  verb.error.message = "no";
  const std::string close = std::string("\x88\x04\x03\xf3no");
  expect_talk({{Direction::kToClient, frame("a") + frame("hit")}},
              {.to_client = frame("a") + close, .closed = true}, verb);
  expect_talk({{Direction::kToServer, masked("hit")}}, {.to_client = close, .closed = true}, verb);
}

TEST(WebSocketSide, anEmptyMessageCannotBeCorrupted) {
  const std::string sent = masked("");
  const auto log =
      expect_outcome({{Direction::kToServer, kAsk},
                      {Direction::kToClient, kGranted},
                      {Direction::kToServer, sent}},
                     {.to_server = kAsk + sent, .to_client = kGranted}, [](RecordingHost& host) {
                       host.wanted_phases = {Phase::kWebSocket};
                       host.decide_as = [](const Facts& facts) {
                         const bool message = facts.phase == Phase::kWebSocket;
                         return message ? plan_verb(Verb::Kind::kCorrupt, {.bytes = 2}) : Verb{};
                       };
                     });
  EXPECT_THAT(log, testing::Contains("skipped 2 the message is empty"));
}

TEST(WebSocketSide, whatIsNoFrameGoesOpaque) {
  const std::string wrong = "\xff\xff not a frame";
  const auto log = expect_talk({{Direction::kToClient, frame("a") + wrong}},
                               {.to_client = frame("a") + wrong}, {});
  EXPECT_EQ(log.back(), "opaque websocket: a frame that begins with 0xff");
}

TEST(WebSocketSide, compressedMessagesCannotBeSeen) {
  const std::string sent = masked("hit", '\xc1');
  const auto log = expect_talk({{Direction::kToServer, sent}}, {.to_server = sent}, close_verb());
  EXPECT_EQ(log.back(), "opaque websocket messages are compressed");
}

TEST(WebSocketSide, theOfferToCompressIsTakenOutForARule) {
  std::string ask = kAsk;
  ask.insert(ask.size() - 2, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  for (const bool wanted : {false, true}) {
    expect_outcome({{Direction::kToServer, ask}}, {.to_server = wanted ? kAsk : ask},
                   [&](RecordingHost& host) {
                     if (wanted) host.wanted_phases = {Phase::kWebSocket};
                   });
  }
}

}  // namespace
}  // namespace misrule::codecs::http
