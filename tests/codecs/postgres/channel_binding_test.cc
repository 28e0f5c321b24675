#include "codecs/postgres/channel_binding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Passes everything, and remembers what it was shown of the server's bytes.
class Inner final : public Conversation {
 public:
  explicit Inner(std::vector<std::string>& seen) : seen_(seen) {}
  Step walk(Direction direction, ByteView unread) override {
    if (direction == Direction::kToClient) seen_.emplace_back(unread);
    return {.pass = unread.size()};
  }
  std::optional<Act> ended(Direction) override { return std::nullopt; }
  void released(Direction, Released) override {}
  std::optional<std::uint64_t> held_unit() const override { return std::nullopt; }

 private:
  std::vector<std::string>& seen_;
};

std::string message(char type, std::string_view body) {
  std::string bytes(1, type);
  append_u32(bytes, static_cast<std::uint32_t>(body.size() + 4));
  return bytes + std::string(body);
}

std::string sasl(std::initializer_list<std::string_view> mechanisms) {
  std::string body;
  append_u32(body, 10);
  for (const std::string_view mechanism : mechanisms) append_cstring(body, mechanism);
  return message('R', body + std::string(1, '\0'));
}

class ChannelBindingTest : public testing::Test {
 protected:
  /// What reaches the client of `bytes` that come `piece` at a time.
  std::string told(const std::string& bytes, std::size_t piece) {
    seen_.clear();
    auto conversation = without_channel_binding(std::make_unique<Inner>(seen_));
    std::string unread;
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      unread += bytes.substr(at, piece);
      for (bool again = true; again;) {
        const Step step = conversation->walk(Direction::kToClient, unread);
        out += unread.substr(0, step.pass);
        unread.erase(0, step.pass);
        again = step.act.has_value();
        if (!again) break;
        const auto& substitute = std::get<Substitute>(*step.act);
        out += substitute.with;
        unread.erase(0, substitute.bytes);
        again = !unread.empty();
      }
    }
    EXPECT_THAT(unread, IsEmpty());
    return out;
  }

  std::vector<std::string> seen_;
};

TEST_F(ChannelBindingTest, WhatBindsIsNotOffered) {
  const std::string offered = sasl({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"});
  const std::string before = message('v', std::string(8, '\0')) + message('N', "note");
  const std::string behind = message('R', std::string(4, '\0')) + message('Z', "I");
  for (std::size_t piece = 1; piece <= offered.size() + 40; ++piece) {
    EXPECT_EQ(told(before + offered + behind, piece), before + sasl({"SCRAM-SHA-256"}) + behind)
        << piece;
  }
}

TEST_F(ChannelBindingTest, NothingElseIsTouched) {
  for (const std::string& bytes :
       {sasl({"SCRAM-SHA-256"}), message('R', std::string(4, '\0')) + sasl({"X-PLUS"}),
        message('E', "SFATAL") + sasl({"X-PLUS"}), std::string("R\0\0\0\0 what is this", 19),
        message('R', std::string("\0\0\0\x0aX-PLUS", 10))}) {
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece)
      EXPECT_EQ(told(bytes, piece), bytes);
  }
}

TEST_F(ChannelBindingTest, TheInnerConversationSeesWholeMessages) {
  const std::string notice = message('N', "note");
  told(notice + sasl({"X-PLUS", "X"}) + notice, 1000);
  EXPECT_THAT(seen_, ElementsAre(notice, notice));
}

TEST_F(ChannelBindingTest, WhatIsTooLongForALoginFlows) {
  std::string bytes(1, 'R');
  append_u32(bytes, 100'000'000);
  EXPECT_EQ(told(bytes, 3), bytes);
}

}  // namespace
}  // namespace misrule::codecs::postgres
