#include "codecs/http/body_change.h"

#include <gtest/gtest.h>

#include "tests/codecs/http/http_rig.h"

namespace misrule::codecs::http {
namespace {

using Kind = Verb::Kind;
constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n";

std::vector<std::string> expect_reply(std::string_view sent, const Outcome& expected,
                                      const Verb& verb) {
  const Recording dialogue = {{Direction::kToServer, get("/x")},
                              {Direction::kToClient, std::string(sent)}};
  Outcome whole = expected;
  whole.to_server = get("/x");
  return expect_outcome(dialogue, whole,
                        [&](RecordingHost& host) { host.decide_as = on_path("/x", verb); });
}

TEST(BodyChange, aCutEndsTheConnectionWithinThePayload) {
  const Verb verb = plan_verb(Kind::kTruncate, {.bytes = 1});
  expect_reply(kOk, {.to_client = std::string(kOk.substr(0, kOk.size() - 1)), .closed = true},
               verb);
  const Verb later = plan_verb(Kind::kTruncate, {.bytes = 6});
  const auto log = expect_reply(
      kChunked, {.to_client = std::string(kChunked.substr(0, kChunked.find("gh"))), .closed = true},
      later);
  EXPECT_EQ(log.back(), "exchanged 1 connection closed within 200 did failed");
}

TEST(BodyChange, aBodyThatIsShorterIsSaid) {
  const Verb verb = plan_verb(Kind::kTruncate, {.bytes = 8});
  for (const std::string_view sent : {kOk, kChunked}) {
    const auto log = expect_reply(sent, {.to_client = std::string(sent)}, verb);
    EXPECT_EQ(log[1].substr(0, 10), "skipped 1 ");
    EXPECT_EQ(log.back(), "exchanged 1 200 did");
  }
}

TEST(BodyChange, framingIsBrokenWhereItStands) {
  const Verb verb = plan_verb(Kind::kCorrupt, {.framing = true});
  std::string chunked(kChunked);
  chunked[chunked.find("4\r\na")] = 'z';
  expect_reply(kChunked, {.to_client = chunked}, verb);
  std::string shorter(kOk);
  shorter.replace(shorter.find(": 2"), 3, ": 1");
  const auto log = expect_reply(kOk, {.to_client = shorter}, verb);
  EXPECT_EQ(log.back(), "exchanged 1 200 did");
}

TEST(BodyChange, payloadKeepsItsFraming) {
  Rig rig(on_path("/x", plan_verb(Kind::kCorrupt, {.bytes = 4})));
  rig.client(get("/x"));
  const std::string told = rig.server(kChunked);
  ASSERT_EQ(told.size(), kChunked.size());
  std::string differ;
  for (std::size_t i = 0; i < told.size(); ++i) {
    if (told[i] != kChunked[i]) differ += kChunked[i];
  }
  EXPECT_EQ(differ, "abcd");
  expect_reply(kChunked, {.to_client = told}, plan_verb(Kind::kCorrupt, {.bytes = 4}));
}

TEST(BodyChange, ofARequest) {
  const Verb cut = plan_verb(Kind::kTruncate, {.bytes = 3, .of_request = true});
  const std::string ask = post("/x", "hello");
  expect_outcome({{Direction::kToServer, ask}},
                 {.to_server = ask.substr(0, ask.size() - 2), .closed = true},
                 [&](RecordingHost& host) { host.decide_as = on_path("/x", cut); });
  const Verb broken = plan_verb(Kind::kCorrupt, {.framing = true, .of_request = true});
  std::string wrong = ask + get("/2");
  wrong.replace(wrong.find(": 5"), 3, ": 2");
  const auto log =
      expect_outcome({{Direction::kToServer, ask + get("/2")}}, {.to_server = wrong},
                     [&](RecordingHost& host) { host.decide_as = on_path("/x", broken); });
  EXPECT_EQ(log.back(), "opaque a request whose framing a rule broke");
  const auto ahead = expect_outcome({{Direction::kToServer, ask + get("/2")}}, {.to_server = wrong},
                                    [&](RecordingHost& host) {
                                      host.wanted = {Detail::kBody};
                                      host.decide_as = on_path("/x", broken);
                                    });
  EXPECT_EQ(ahead.back(), "opaque a request whose framing a rule broke");
}

TEST(BodyChange, aDuplicateIsAnsweredOnce) {
  const std::string ask = post("/x", "pay");
  const auto log = expect_outcome(
      {{Direction::kToServer, ask + get("/2")},
       {Direction::kToClient, reply_with("1") + reply_with("again") + reply_with("2")}},
      {.to_server = ask + ask + get("/2"), .to_client = reply_with("1") + reply_with("2")},
      [&](RecordingHost& host) { host.decide_as = on_path("/x", plan_verb(Kind::kDuplicate)); });
  EXPECT_EQ(log.size(), 4U);
}

TEST(BodyChange, aDuplicateOfARequestThatEndsItsConnection) {
  const std::string head = "POST /x HTTP/1.1\r\nHost: s\r\nContent-Length: 2\r\n";
  const std::string sent = head + "Connection: Close\r\n\r\nhi";
  const std::string last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nend";
  const auto log = expect_outcome(
      {{Direction::kToServer, sent}, {Direction::kToClient, std::string(kOk) + last}},
      {.to_server = head + "\r\nhi" + sent, .to_client = std::string(kOk)},
      [&](RecordingHost& host) { host.decide_as = on_path("/x", plan_verb(Kind::kDuplicate)); });
  EXPECT_EQ(log.back(), "exchanged 1 200 did");
}

TEST(BodyChange, whatSaysMoreOfItsConnectionIsNotSentTwice) {
  for (const char* sent :
       {"GET /x HTTP/1.0\r\n\r\n", "GET /x HTTP/1.0\r\nConnection: close\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: s\r\nConnection: close, x\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: s\r\nConnection: close\r\nConnection: x\r\n\r\n"}) {
    const auto log = expect_outcome(
        {{Direction::kToServer, sent}}, {.to_server = sent},
        [&](RecordingHost& host) { host.decide_as = on_path("/x", plan_verb(Kind::kDuplicate)); });
    EXPECT_EQ(log.back(), "skipped 1 the connection ends after this request") << sent;
  }
}

TEST(BodyChange, aDuplicateMayBeAnsweredInTheMiddleOfTheNextRequest) {
  const std::string ask = post("/x", "pay");
  const std::string next = post("/2", "body");
  const auto log = expect_outcome(
      {{Direction::kToServer, ask},
       {Direction::kToClient, reply_with("1")},
       {Direction::kToServer, next.substr(0, next.size() - 4)},
       {Direction::kToClient, reply_with("again")},
       {Direction::kToServer, "body"},
       {Direction::kToClient, reply_with("2")}},
      {.to_server = ask + ask + next, .to_client = reply_with("1") + reply_with("2")},
      [&](RecordingHost& host) { host.decide_as = on_path("/x", plan_verb(Kind::kDuplicate)); });
  for (const std::string& line : log) EXPECT_FALSE(line.starts_with("opaque")) << line;
}

TEST(BodyChange, whatIsMadeUpReplacesTheServersReply) {
  ReplyPlan plan = {.status = 201, .body = "{}", .headers = {{"A", Value{std::string("b")}}}};
  const std::string made =
      "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nA: b\r\nContent-Length: "
      "2\r\n\r\n{}";
  expect_outcome({{Direction::kToServer, post("/x", "body") + get("/2")}},
                 {.to_server = get("/2"), .to_client = made}, [&](RecordingHost& host) {
                   host.decide_as = on_path("/x", plan_verb(Kind::kRespond, plan));
                 });
}

TEST(BodyChange, aBodyIsReadAheadWhereARuleWantsIt) {
  const std::string first = post("/x", "no");
  const std::string second = post("/x", "yes");
  expect_outcome({{Direction::kToServer, first + second + get("/2")}},
                 {.to_server = first + get("/2")}, [&](RecordingHost& host) {
                   host.wanted = {Detail::kBody};
                   host.decide_as = [](const Facts& facts) {
                     const bool yes = facts.details->any(
                         Detail::kBody, {}, [](std::string_view body) { return body == "yes"; });
                     return yes ? replace_with(503) : Verb{};
                   };
                 });
}

TEST(BodyChange, aReplyIsDecidedByItsStatus) {
  const std::string busy = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";
  const std::string replaced = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n";
  const auto log = expect_outcome(
      {{Direction::kToServer, get("/1") + get("/2")},
       {Direction::kToClient, busy + reply_with("2")}},
      {.to_server = get("/1") + get("/2"), .to_client = replaced + reply_with("2")},
      [&](RecordingHost& host) {
        host.wanted_phases = {Phase::kReply};
        host.decide_as = [](const Facts& facts) {
          const bool hit = facts.details->any(
              Detail::kReplyStatus, {}, [](std::string_view status) { return status == "503"; });
          Verb verb = replace_with(429);
          verb.hold = Duration(1);
          return hit ? verb : Verb{};
        };
      });
  EXPECT_EQ(log[3], "exchanged 1 429 in place of 503 did failed");
}

}  // namespace
}  // namespace misrule::codecs::http
