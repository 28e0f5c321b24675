// Recorded conversations, cut in every way: they pass byte for byte, what the host is told stands
// beside each vector as NAME.golden, and a rule does not put anybody out of step.
//
// MISRULE_REGENERATE=1 writes the goldens anew; read the difference before it is committed.

#include "codecs/redis/conversation.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/codecs/grind.h"
#include "tests/codecs/idle.h"
#include "tests/codecs/redis/rig.h"

namespace misrule::codecs::redis {
namespace {

constexpr std::size_t kCuts = 500;

struct Played {
  std::string to_server = {};
  std::string to_client = {};
  std::string log = {};
  bool opaque = false;
};

Played play(const Recording& recording) {
  Rig rig;
  rig.pump.feed(recording);
  rig.pump.end(Direction::kToServer);
  rig.pump.end(Direction::kToClient);
  Played played{.to_server = rig.pump.to_server(),
                .to_client = rig.pump.to_client(),
                .opaque = rig.host.opaque.has_value()};
  for (const std::string& line : rig.host.log) played.log += line + "\n";
  return played;
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

class RedisVectors : public testing::TestWithParam<std::string> {};

TEST_P(RedisVectors, PassUntouchedHoweverTheyAreCut) {
  const Recording recording = read_recording(GetParam());
  const std::string to_server = joined(recording, Direction::kToServer);
  const std::string to_client = joined(recording, Direction::kToClient);
  const Played whole = play(recording);
  const bool broken = GetParam().find("broken") != std::string::npos;
  EXPECT_EQ(whole.opaque, broken) << whole.log;
  const std::string golden = golden_of(GetParam(), whole.log);
  for_each_split(
      recording,
      [&](const Recording& split) {
        const Played played = play(split);
        ASSERT_EQ(played.to_server, to_server);
        ASSERT_EQ(played.to_client, to_client);
        ASSERT_EQ(played.log, golden);
      },
      kCuts);
}

INSTANTIATE_TEST_SUITE_P(Recorded, RedisVectors, testing::ValuesIn(vector_files("redis")),
                         [](const auto& vector) {
                           std::string name = std::filesystem::path(vector.param).stem().string();
                           std::erase(name, '-');
                           return name;
                         });

TEST(RedisConversation, IsTheSameWhenNobodyListens) {
  std::uint64_t counted = 0;
  const auto make = [](ConversationHost& host) { return make_conversation(host); };
  for (const std::string& vector : vector_files("redis")) {
    SCOPED_TRACE(vector);
    counted += expect_same_when_idle(read_recording(vector), make);
  }
  EXPECT_GT(counted, 0U);
}

TEST(RedisConversation, CountsPlainCommandsWhileNobodyListens) {
  Rig rig;
  bool idle = true;
  rig.host.idle_when = [&idle] { return idle; };
  // The first of a name is looked at; to others of that name nothing is paid but attention.
  rig.client(command("GET a") + command("GET b") + command("GET c") + command("SET d 1"));
  EXPECT_EQ(rig.host.decided, 2U);
  EXPECT_EQ(rig.host.counted, 2U);
  rig.server("$1\r\nA\r\n-MOVED 1 127.0.0.1:7001\r\n$-1\r\n");
  idle = false;
  rig.client(command("GET e"));
  EXPECT_EQ(rig.host.log.back(), "decide 5 GET e");
  rig.server("+OK\r\n$1\r\nE\r\n");
  EXPECT_EQ(rig.host.log.back(), "exchanged 5 1 bytes did");
  EXPECT_EQ(rig.pump.to_client(),
            "$1\r\nA\r\n-MOVED 1 127.0.0.1:7001\r\n$-1\r\n+OK\r\n$1\r\nE\r\n");
}

TEST(RedisConversation, KeepsItsStateWhileNobodyListens) {
  Rig rig;
  bool idle = true;
  rig.host.idle_when = [&idle] { return idle; };
  std::string state;
  rig.host.decide_as = [&state](const Facts& facts) {
    state = facts.state;
    return Verb{};
  };
  // With an argument MULTI is refused, and CLIENT alone does nothing: what comes next is another
  // matter, though its first word is the same.
  rig.client(command("MULTI x") + command("CLIENT") + command("CLIENT REPLY SKIP") +
             command("GET a") + command("MULTI") + command("GET a") + command("GET b"));
  rig.server("-ERR wrong number\r\n-ERR wrong number\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n");
  idle = false;
  rig.client(command("GET c"));
  EXPECT_EQ(state, "transaction");
  EXPECT_EQ(rig.conversation->state(), "transaction");
  rig.server("+QUEUED\r\n");
  rig.client(command("EXEC"));
  rig.server("*3\r\n$-1\r\n$-1\r\n$-1\r\n");
  EXPECT_EQ(rig.conversation->state(), "idle");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(RedisConversation, SaysInWhichStateItIs) {
  Rig rig;
  EXPECT_EQ(rig.conversation->state(), "idle");
  rig.client(command("MULTI") + command("GET a") + command("EXEC") + command("SYNC"));
  rig.server("+OK\r\n+QUEUED\r\n");
  EXPECT_EQ(rig.conversation->state(), "transaction");
  rig.server("*1\r\n$-1\r\n");
  EXPECT_EQ(rig.conversation->state(), "idle");
  rig.server("$100\r\nREDIS");
  EXPECT_EQ(rig.conversation->state(), "raw");
}

}  // namespace
}  // namespace misrule::codecs::redis
