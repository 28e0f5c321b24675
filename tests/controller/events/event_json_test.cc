#include <cstdio>
#include <fstream>

#include "controller/events/event_log.h"
#include "controller/events/json_slice.h"
#include "controller/events/utf8.h"

namespace misrule::controller {
namespace {

using model::Event;
using model::Json;

Event sample() {
  Event event{.number = 7,
              .time_ns = 12,
              .source_time_ns = 11,
              .service = "api",
              .type = "proxy",
              .after = {3, 5},
              .clock = {{"api", 2}, {"test", 4}}};
  event.set("query", std::string("SELECT \"a\"\n\tFROM é"))
      .set("rows", std::int64_t{-3})
      .set("fired", true)
      .set("share", 3.0)
      .set("nothing", nullptr)
      .set("data", Json{R"({"a":[1,{"b":123456789012345678901234567890}],"c":"} ,]\""})"});
  return event;
}

void expect_same(const Event& got, const Event& want) {
  EXPECT_EQ(got.number, want.number);
  EXPECT_EQ(got.time_ns, want.time_ns);
  EXPECT_EQ(got.source_time_ns, want.source_time_ns);
  EXPECT_EQ(got.service, want.service);
  EXPECT_EQ(got.type, want.type);
  EXPECT_EQ(got.after, want.after);
  EXPECT_EQ(got.clock, want.clock);
  EXPECT_EQ(got.fields, want.fields);
}

TEST(EventJson, ReadsBackWhatItWrote) {
  const std::string line = event_to_json(sample());
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto back = event_from_json(line);
  ASSERT_TRUE(back) << back.error().what;
  expect_same(*back, sample());
  EXPECT_EQ(event_to_json(*back), line);
}

TEST(EventJson, PayloadsLoseTheirBlanksAndNothingElse) {
  Event event{.number = 1, .service = "api", .type = "stdout"};
  event.set("data", Json{"{ \"a b\" : [ 1.50 ,\n 2 ] }"});
  const auto back = event_from_json(event_to_json(event));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back->find("data"), model::Field(Json{R"({"a b":[1.50,2]})"}));
}

TEST(EventJson, WhatOnlyClaimsToBeJsonIsText) {
  Event event{.number = 1, .service = "api", .type = "stdout"};
  event.set("data", Json{"{\"a\": }"}).set("deep", Json{std::string(1000, '[')});
  const auto back = event_from_json(event_to_json(event));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back->find("data"), model::Field("{\"a\": }"));
  EXPECT_EQ(*back->find("deep"), model::Field(std::string(1000, '[')));
}

TEST(EventJson, BytesThatAreNoUtf8AreMarked) {
  Event event{.number = 1, .service = "api", .type = "stdout"};
  event.set("body", std::string("ok\xff\xc0\xaf\xed\xa0\x80 caf\xc3\xa9"));
  const auto back = event_from_json(event_to_json(event));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back->find("body"), model::Field("ok\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD caf\u00e9"));
}

TEST(EventJson, EveryByteInEveryPlaceIsReadBack) {
  for (std::size_t length = 1; length <= 17; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(length, 'x');
        text[at] = static_cast<char>(byte);
        Event event = {.number = 1, .service = text, .type = "stdout"};
        event.set("body", text);
        const std::string line = event_to_json(event);
        ASSERT_EQ(line.find('\n'), std::string::npos);
        const auto read = event_from_json(line);
        ASSERT_TRUE(read) << line;
        EXPECT_EQ(read->service, as_utf8(text));
        EXPECT_EQ(*read->find("body"), model::Field(as_utf8(text)));
      }
    }
  }
}

TEST(EventJson, HostileLinesAreErrors) {
  const std::string whole = event_to_json(sample());
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_FALSE(event_from_json(std::string_view(whole).substr(0, cut))) << cut;
  }
  for (const char* line : {"[]", "{}", "{\"number\":-1,\"service\":\"a\",\"type\":\"b\"}",
                           "{\"number\":1,\"service\":2,\"type\":\"b\"}",
                           "{\"number\":1,\"service\":\"a\",\"type\":\"b\",\"fields\":[1]}"}) {
    EXPECT_FALSE(event_from_json(line)) << line;
  }
}

TEST(JsonSlice, AnswersWithinTheTextOnAnything) {
  const std::string text = R"({"a":1,"b":[2,{"c":"\"}"}]})";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string part = text.substr(0, cut);
    for (const JsonMember& member : slice_json(part)) {
      EXPECT_LE(member.value.size(), part.size());
    }
    EXPECT_LE(compact_json(part).size(), part.size());
  }
  const auto members = slice_json(text);
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[1].value, R"([2,{"c":"\"}"}])");
}

TEST(ReadEventLog, LeavesATornLastLineOut) {
  const std::string path = testing::TempDir() + "/torn.jsonl";
  {
    std::ofstream file(path);
    file << event_to_json(sample()) << "\n" << event_to_json(sample()).substr(0, 40);
  }
  const auto events = read_event_log(path);
  ASSERT_TRUE(events) << events.error().what;
  EXPECT_EQ(events->size(), 1U);
  std::remove(path.c_str());
}

TEST(ReadEventLog, SaysWhichLineIsWrong) {
  const std::string path = testing::TempDir() + "/wrong.jsonl";
  std::ofstream(path) << event_to_json(sample()) << "\nnonsense\n";
  const auto events = read_event_log(path);
  ASSERT_FALSE(events);
  EXPECT_NE(events.error().what.find("wrong.jsonl:2: not JSON"), std::string::npos)
      << events.error().what;
  std::remove(path.c_str());
  EXPECT_FALSE(read_event_log(path));
}

}  // namespace
}  // namespace misrule::controller
