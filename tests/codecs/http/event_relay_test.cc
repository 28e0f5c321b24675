#include "codecs/http/event_relay.h"

#include <gtest/gtest.h>

#include "tests/codecs/http/http_rig.h"

namespace misrule::codecs::http {
namespace {

const std::string kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string kOne = "9\r\ndata: 1\n\n\r\n";
const std::string kTwo = "9\r\ndata: 2\n\n\r\n";
const std::string kEnd = "0\r\n\r\n";

std::vector<std::string> expect_events(const std::string& to_client, const Verb& verb,
                                       bool closed = false) {
  const Recording dialogue = {{Direction::kToServer, get("/e")},
                              {Direction::kToClient, kHead + kOne + kTwo + kEnd}};
  const Outcome expected = {.to_server = get("/e"), .to_client = to_client, .closed = closed};
  return expect_outcome(dialogue, expected, [&](RecordingHost& host) {
    host.wanted_phases = {Phase::kSse};
    host.decide_as = [&verb](const Facts& facts) {
      const auto is_one = [](std::string_view data) { return data == "1"; };
      const bool hit =
          facts.phase == Phase::kSse && facts.details->any(Detail::kMessage, {}, is_one);
      return hit ? verb : Verb{};
    };
  });
}

TEST(EventRelay, eachEventIsDecided) {
  expect_events(kHead + kOne + kTwo + kEnd, {});
  expect_events(kHead + kTwo + kEnd, close_verb());
  expect_events(kHead + kOne + kOne + kTwo + kEnd, plan_verb(Verb::Kind::kDuplicate));
}

TEST(EventRelay, holdsAndResets) {
  expect_events(kHead + kOne + kTwo + kEnd, hold_request(Duration(5)));
  const auto log = expect_events(kHead, close_verb(true), true);
  EXPECT_EQ(log[2], "exchanged 2 connection closed in place of an event did failed");
}

}  // namespace
}  // namespace misrule::codecs::http
