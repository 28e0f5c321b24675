#include "tests/codecs/idle.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/codecs/pump.h"

namespace misrule::codecs {
namespace {

constexpr unsigned kPlays = 60;

struct Played {
  std::string to_server = {};
  std::string to_client = {};
  std::vector<std::string> log = {};
  std::uint64_t decided = 0;
  std::uint64_t counted = 0;
  bool opaque = false;
};

Played play(const Recording& recording, RecordingHost& host, const MakeConversation& make) {
  const auto conversation = make(host);
  Pump pump(*conversation);
  pump.feed(recording);
  pump.end(Direction::kToServer);
  pump.end(Direction::kToClient);
  return {.to_server = pump.to_server(),
          .to_client = pump.to_client(),
          .log = host.log,
          .decided = host.decided,
          .counted = host.counted,
          .opaque = host.opaque.has_value()};
}

Recording cut_at_random(const Recording& recording, std::mt19937& random) {
  Recording cut;
  for (const Piece& piece : recording) {
    std::string_view left = piece.bytes;
    while (!left.empty()) {
      const std::size_t most = random() % 2 == 0 ? left.size() : std::size_t{40};
      const std::size_t size = 1 + random() % std::min(most, left.size());
      cut.push_back({.direction = piece.direction, .bytes = std::string(left.substr(0, size))});
      left.remove_prefix(size);
    }
  }
  return cut;
}

}  // namespace

std::uint64_t expect_same_when_idle(const Recording& recording, const MakeConversation& make) {
  RecordingHost attentive;
  const Played expected = play(recording, attentive, make);
  std::vector<std::string> told = expected.log;
  std::ranges::sort(told);
  std::uint64_t counted = 0;
  for (unsigned seed = 0; seed < kPlays; ++seed) {
    std::mt19937 random(seed);
    RecordingHost host;
    host.idle_when = [&random, seed] { return seed == 0 || random() % 2 == 0; };
    Played played = play(cut_at_random(recording, random), host, make);
    EXPECT_EQ(played.to_server, expected.to_server) << "seed " << seed;
    EXPECT_EQ(played.to_client, expected.to_client) << "seed " << seed;
    EXPECT_EQ(played.opaque, expected.opaque) << "seed " << seed;
    EXPECT_EQ(played.decided + played.counted, expected.decided) << "seed " << seed;
    std::ranges::sort(played.log);
    EXPECT_TRUE(std::ranges::includes(told, played.log)) << "seed " << seed;
    counted += played.counted;
  }
  return counted;
}

}  // namespace misrule::codecs
