// Recorded conversations, cut in every way: the bytes come out as they went in, the units are the
// same, and nothing goes undecoded.

#include "codecs/http/conversation.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/codecs/grind.h"
#include "tests/codecs/http/http_rig.h"
#include "tests/codecs/idle.h"

namespace misrule::codecs::http {
namespace {

// What a recording shows, as the golden beside it says: MISRULE_REGENERATE=1 writes it anew.
std::string summary(const Rig& rig) {
  std::string text;
  for (const std::string& line : rig.host.log) text += line + "\n";
  return text;
}

void expect_golden(const std::string& vector, const std::string& actual) {
  const std::string golden = std::filesystem::path(vector).replace_extension(".units").string();
  if (std::getenv("MISRULE_REGENERATE") != nullptr) std::ofstream(golden) << actual;
  std::ifstream file(golden);
  ASSERT_TRUE(file.is_open()) << golden << ": make it with MISRULE_REGENERATE=1";
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(actual, expected.str()) << golden;
}

class HttpVectors : public testing::TestWithParam<std::string> {};

TEST_P(HttpVectors, comeOutAsTheyWentInHoweverTheyAreCut) {
  const Recording recording = read_recording(GetParam());
  const std::string to_server = joined(recording, Direction::kToServer);
  const std::string to_client = joined(recording, Direction::kToClient);
  std::string units;
  for_each_split(
      recording,
      [&](const Recording& split) {
        Rig rig;
        rig.pump.feed(split);
        rig.pump.end(Direction::kToServer);
        rig.pump.end(Direction::kToClient);
        ASSERT_EQ(rig.pump.to_server(), to_server);
        ASSERT_EQ(rig.pump.to_client(), to_client);
        if (units.empty()) units = summary(rig);
        ASSERT_EQ(summary(rig), units);
      },
      2000);
  expect_golden(GetParam(), units);
}

// A rule on every second request: the others must not notice, at any cut.
TEST_P(HttpVectors, stayInStepWithARuleOnEverySecondRequest) {
  const Recording recording = read_recording(GetParam());
  std::string first;
  for_each_split(
      recording,
      [&](const Recording& split) {
        Rig rig([](const Facts& facts) {
          return facts.unit % 2 == 0 ? replace_with(503, "injected") : Verb{};
        });
        for (const Piece& piece : split) {
          if (piece.direction == Direction::kToServer) rig.pump.feed(piece.direction, piece.bytes);
        }
        const std::string seen = rig.pump.to_server() + "\n--\n" + rig.pump.to_client();
        if (first.empty()) first = seen;
        ASSERT_EQ(seen, first);
      },
      500);
}

// "Half headers" and truncated requests arrive as they would directly.
TEST(HttpEnds, aHeadThatIsCutOffIsItsSendersLastWord) {
  Rig client;
  EXPECT_EQ(client.client(get("/1") + "GET /2 HTTP/1.1\r\nHo"), get("/1"));
  client.client("st: s");
  client.pump.end(Direction::kToServer);
  EXPECT_EQ(client.pump.to_server(), get("/1") + "GET /2 HTTP/1.1\r\nHost: s");
  Rig server;
  server.client(get("/1"));
  EXPECT_EQ(server.server("HTTP/1.1 200 OK\r\nContent-Le"), "");
  server.server("ngth");
  server.pump.end(Direction::kToClient);
  EXPECT_EQ(server.to_client(), "HTTP/1.1 200 OK\r\nContent-Length");
}

INSTANTIATE_TEST_SUITE_P(Recorded, HttpVectors, testing::ValuesIn(vector_files("http")),
                         [](const auto& info) {
                           std::string name = std::filesystem::path(info.param).stem().string();
                           for (char& c : name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           }
                           return name;
                         });

TEST(HttpConversation, IsTheSameWhenNobodyListens) {
  std::uint64_t counted = 0;
  const auto make = [](ConversationHost& host) { return make_conversation(host); };
  for (const std::string& vector : vector_files("http")) {
    SCOPED_TRACE(vector);
    counted += expect_same_when_idle(read_recording(vector), make);
  }
  EXPECT_GT(counted, 0U);
}

}  // namespace
}  // namespace misrule::codecs::http
