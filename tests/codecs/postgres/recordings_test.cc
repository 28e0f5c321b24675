// Recorded conversations of real clients with a real server, cut in every way: they pass byte for
// byte, and what the host is told stands beside each vector as NAME.golden.
//
// MISRULE_REGENERATE=1 writes the goldens anew; read the difference before it is committed.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/codecs/idle.h"
#include "tests/codecs/postgres/rig.h"

namespace misrule::codecs::postgres {
namespace {

constexpr std::size_t kCuts = 300;

struct Played {
  std::string to_server = {};
  std::string to_client = {};
  std::string log = {};
};

Played play(const Recording& recording) {
  RecordingHost host;
  const auto conversation = make_conversation(host);
  Pump pump(*conversation);
  pump.feed(recording);
  pump.end(Direction::kToServer);
  pump.end(Direction::kToClient);
  EXPECT_FALSE(host.opaque.has_value()) << *host.opaque;
  Played played{.to_server = pump.to_server(), .to_client = pump.to_client()};
  for (const std::string& line : host.log) played.log += line + "\n";
  return played;
}

/// The relay refused encryption, as we do: its answer is not in the recording.
struct WithoutEncryption {
  std::string to_server = {};
  std::string to_client = {};
};
WithoutEncryption expected_of(const Recording& recording) {
  WithoutEncryption expected{.to_server = joined(recording, Direction::kToServer),
                             .to_client = joined(recording, Direction::kToClient)};
  while (expected.to_server.starts_with(wire::ssl_request())) {
    expected.to_server.erase(0, wire::ssl_request().size());
    expected.to_client.insert(0, "N");
  }
  return expected;
}

std::string golden_of(const std::string& vector, const std::string& log) {
  const std::string path = std::filesystem::path(vector).replace_extension(".golden");
  if (std::getenv("MISRULE_REGENERATE") != nullptr) std::ofstream(path) << log;
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path << ": see the head of this file";
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Recordings, AreTheSameWhenNobodyListens) {
  std::uint64_t counted = 0;
  const auto make = [](ConversationHost& host) { return make_conversation(host); };
  for (const std::string& vector : vector_files("postgres")) {
    SCOPED_TRACE(vector);
    counted += expect_same_when_idle(read_recording(vector), make);
  }
  EXPECT_GT(counted, 0U);
}

TEST(Recordings, PassUntouchedHoweverTheyAreCut) {
  for (const std::string& vector : vector_files("postgres")) {
    SCOPED_TRACE(vector);
    const Recording recording = read_recording(vector);
    const WithoutEncryption expected = expected_of(recording);
    const std::string golden = golden_of(vector, play(recording).log);
    for_each_split(
        recording,
        [&](const Recording& cut) {
          const Played played = play(cut);
          ASSERT_EQ(played.to_server, expected.to_server);
          ASSERT_EQ(played.to_client, expected.to_client);
          ASSERT_EQ(played.log, golden);
        },
        kCuts);
  }
}

}  // namespace
}  // namespace misrule::codecs::postgres
