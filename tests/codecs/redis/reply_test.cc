#include "codecs/redis/reply.h"

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

std::string text(ByteView value) { return text_of(read_reply(value)); }

TEST(Reply, IsSaidAsPeopleSayIt) {
  EXPECT_EQ(text("+OK\r\n"), "OK");
  EXPECT_EQ(text("-ERR no\r\n"), "ERR no");
  EXPECT_EQ(text(":5\r\n"), "5");
  EXPECT_EQ(text("$3\r\nabc\r\n"), "3 bytes");
  EXPECT_EQ(text("$-1\r\n"), "nil");
  EXPECT_EQ(text("*-1\r\n"), "nil");
  EXPECT_EQ(text("_\r\n"), "nil");
  EXPECT_EQ(text("*2\r\n"), "2 items");
  EXPECT_EQ(text("%2\r\n"), "2 pairs");
  EXPECT_EQ(text("#f\r\n"), "false");
  EXPECT_EQ(text(",1.5\r\n"), "1.5");
}

TEST(Reply, KnowsMessagesOfPubSub) {
  const auto message = read_pubsub("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n");
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->kind, PubsubMessage::Kind::kPublished);
  const auto confirmed = read_pubsub(">3\r\n$10\r\npsubscribe\r\n$1\r\n:\r\n:12\r\n");
  ASSERT_TRUE(confirmed.has_value());
  EXPECT_EQ(confirmed->kind, PubsubMessage::Kind::kSubscribed);
  EXPECT_EQ(confirmed->of, PubsubMessage::Of::kPattern);
  EXPECT_EQ(confirmed->count, 12);
  EXPECT_FALSE(read_pubsub("*2\r\n$4\r\npong\r\n$0\r\n\r\n").has_value());
  EXPECT_FALSE(read_pubsub("*3\r\n$7\r\nmess").has_value());
  EXPECT_FALSE(read_pubsub("*0\r\n").has_value());
  EXPECT_FALSE(read_pubsub("$7\r\nmessage\r\n").has_value());
}

TEST(Reply, KnowsWhatMonitorTells) {
  EXPECT_TRUE(is_monitor_line(read_reply("+1700000000.123456 [0 127.0.0.1:5000] \"PING\"\r\n")));
  EXPECT_FALSE(is_monitor_line(read_reply("+PONG\r\n")));
  EXPECT_FALSE(is_monitor_line(read_reply("+123\r\n")));
}

}  // namespace
}  // namespace misrule::codecs::redis
