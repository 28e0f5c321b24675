#include "codecs/redis/pushed.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/codecs/redis/rig.h"

namespace misrule::codecs::redis {
namespace {

const std::string kMessage = "*3\r\n" + bulk("message") + bulk("news") + bulk("hello");

std::vector<std::string> seen(const std::string& push) {
  std::vector<std::string> texts;
  const auto pushed = read_pushed(push);
  if (!pushed) return texts;
  const std::string payload = push.substr(pushed->payload_at);
  PushDetails(payload).any(Detail::kArgument, "1", [&](std::string_view text) {
    texts.emplace_back(text);
    return false;
  });
  return texts;
}

TEST(RedisPushed, EachKindSaysItsChannelAndItsMessage) {
  EXPECT_EQ(read_pushed(kMessage)->channel, "news");
  EXPECT_EQ(read_pushed(kMessage)->operation, "message");
  EXPECT_EQ(seen(kMessage), std::vector<std::string>{"hello"});
  const std::string by_pattern =
      ">4\r\n" + bulk("pmessage") + bulk("n*") + bulk("news") + bulk("hi");
  EXPECT_EQ(read_pushed(by_pattern)->channel, "news");
  EXPECT_EQ(seen(by_pattern), std::vector<std::string>{"hi"});
  const std::string invalid = ">2\r\n" + bulk("invalidate") + "*2\r\n" + bulk("a") + bulk("b");
  EXPECT_EQ(read_pushed(invalid)->channel, kInvalidations);
  EXPECT_EQ(seen(invalid), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(seen(">2\r\n" + bulk("invalidate") + "_\r\n"), std::vector<std::string>{});
}

TEST(RedisPushed, WhatIsNoneIsNone) {
  for (const std::string& other : {">2\r\n" + bulk("tracking-redir-broken") + ":1\r\n",
                                   kMessage.substr(0, 16), std::string(">0\r\n"), std::string("x"),
                                   ">3\r\n" + bulk("subscribe") + bulk("a") + ":1\r\n"}) {
    EXPECT_FALSE(read_pushed(other).has_value()) << other;
  }
}

}  // namespace
}  // namespace misrule::codecs::redis
