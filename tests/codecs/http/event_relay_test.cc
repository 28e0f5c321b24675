#include "codecs/http/event_relay.h"

#include <gmock/gmock.h>
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

// The events of a reply that ends with the connection, each with this verb.
std::vector<std::string> relayed(const std::string& events, const Verb& verb, std::string& seen) {
  Rig rig;
  rig.host.wanted_phases = {Phase::kSse};
  rig.host.decide_as = [&verb](const Facts& facts) {
    return facts.phase == Phase::kSse ? verb : Verb{};
  };
  rig.client(get("/e"));
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
  rig.server(head);
  seen = rig.server(events);
  return rig.host.log;
}

TEST(EventRelay, corruptedIsTheDataAlone) {
  const std::string sent = ": data: 7\nxdata: 1\nid: 8\ndata: 0123\r\ndata:45\ndata\nevent: e\n\n";
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Verb verb = plan_verb(Verb::Kind::kCorrupt, {.bytes = 6});
    verb.seed = seed;
    std::string seen;
    const auto log = relayed(sent, verb, seen);
    ASSERT_EQ(seen.size(), sent.size());
    const std::size_t first = sent.find("0123");
    const std::size_t second = sent.find("45");
    for (std::size_t at = 0; at < sent.size(); ++at) {
      const bool data = (at >= first && at < first + 4) || (at >= second && at < second + 2);
      EXPECT_EQ(seen[at] != sent[at], data) << at;
    }
    EXPECT_EQ(event_data(seen)->size(), event_data(sent)->size());
    EXPECT_EQ(log.back(), "exchanged 2 an event, corrupted did");
  }
}

TEST(EventRelay, anEventWithoutDataCannotBeCorrupted) {
  std::string seen;
  const auto log = relayed("data:\n\n", plan_verb(Verb::Kind::kCorrupt, {.bytes = 1}), seen);
  EXPECT_EQ(seen, "data:\n\n");
  EXPECT_THAT(log, testing::Contains("skipped 2 the event's data is empty"));
}

TEST(EventRelay, aHeldEventHoldsWhatIsBehindItAndNotTheRequests) {
  Rig rig;
  rig.host.wanted_phases = {Phase::kSse};
  rig.host.decide_as = [](const Facts& facts) {
    return facts.phase == Phase::kSse && facts.unit == 3 ? hold_request(std::chrono::seconds(60))
                                                         : Verb{};
  };
  rig.client(get("/e"));
  EXPECT_EQ(rig.server(kHead + kOne), kHead + kOne);
  EXPECT_EQ(rig.server(kTwo + kOne), "");
  EXPECT_EQ(rig.pump.held(Direction::kToClient)->unit, 3U);
  EXPECT_EQ(rig.client(get("/2")), get("/2"));
  EXPECT_EQ(rig.server(kEnd), "");
  rig.pump.release(Direction::kToClient, Released::kRuleEnded);
  EXPECT_EQ(rig.to_client(), kTwo + kOne + kEnd);
  EXPECT_THAT(rig.host.log, testing::Contains("hold_ended 3 rule_ended"));
}

}  // namespace
}  // namespace misrule::codecs::http
