#include "codecs/redis/reply_shape.h"

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

using S = ReplyShape;

Value text(const char* held) { return {std::string(held)}; }
Value number(std::int64_t held) { return {held}; }

TEST(RedisReplyShape, NilIsOfTheVersion) {
  EXPECT_EQ(encoded_reply({}, S::kText, 2), "$-1\r\n");
  EXPECT_EQ(encoded_reply({}, S::kTexts, 2), "*-1\r\n");
  EXPECT_EQ(encoded_reply({}, S::kList, 2), "*-1\r\n");
  for (const S shape : {S::kText, S::kTexts, S::kAny})
    EXPECT_EQ(encoded_reply({}, shape, 3), "_\r\n");
}

TEST(RedisReplyShape, ScalarsAreWhatTheCommandAnswersWith) {
  EXPECT_EQ(encoded_reply(text("OK"), S::kStatus, 2), "+OK\r\n");
  EXPECT_EQ(encoded_reply(text("OK"), S::kText, 2), "$2\r\nOK\r\n");
  EXPECT_EQ(encoded_reply(text("O\r\nK"), S::kStatus, 2), "$4\r\nO\r\nK\r\n");
  EXPECT_EQ(encoded_reply(number(5), S::kNumber, 3), ":5\r\n");
  EXPECT_EQ(encoded_reply(number(5), S::kText, 3), "$1\r\n5\r\n");
  EXPECT_EQ(encoded_reply({1.5}, S::kDouble, 2), "$3\r\n1.5\r\n");
  EXPECT_EQ(encoded_reply({1.5}, S::kDouble, 3), ",1.5\r\n");
  EXPECT_EQ(encoded_reply(number(2), S::kDouble, 3), ",2\r\n");
  EXPECT_EQ(encoded_reply({true}, S::kNumber, 3), ":1\r\n");
  EXPECT_EQ(encoded_reply({true}, S::kAny, 3), "#t\r\n");
  EXPECT_EQ(encoded_reply({false}, S::kAny, 2), ":0\r\n");
  EXPECT_EQ(encoded_reply(text("a:1"), S::kVerbatim, 3), "=7\r\ntxt:a:1\r\n");
  EXPECT_EQ(encoded_reply(text("a:1"), S::kVerbatim, 2), "$3\r\na:1\r\n");
}

TEST(RedisReplyShape, AggregatesAreWhatTheCommandAnswersWith) {
  const Value list{ValueList{text("a"), number(1), {}}};
  EXPECT_EQ(encoded_reply(list, S::kTexts, 3), "*3\r\n$1\r\na\r\n$1\r\n1\r\n_\r\n");
  EXPECT_EQ(encoded_reply(list, S::kMembers, 3), "~3\r\n$1\r\na\r\n$1\r\n1\r\n_\r\n");
  EXPECT_EQ(encoded_reply(list, S::kMembers, 2), "*3\r\n$1\r\na\r\n$1\r\n1\r\n$-1\r\n");
  const Value map{ValueMap{{"a", number(1)}}};
  EXPECT_EQ(encoded_reply(map, S::kPairs, 2), "*2\r\n$1\r\na\r\n$1\r\n1\r\n");
  EXPECT_EQ(encoded_reply(map, S::kPairs, 3), "%1\r\n$1\r\na\r\n$1\r\n1\r\n");
  EXPECT_EQ(encoded_reply(map, S::kScores, 2), "*2\r\n$1\r\na\r\n$1\r\n1\r\n");
  EXPECT_EQ(encoded_reply(map, S::kScores, 3), "*1\r\n*2\r\n$1\r\na\r\n,1\r\n");
  EXPECT_EQ(encoded_reply(map, S::kOneScore, 3), "*2\r\n$1\r\na\r\n,1\r\n");
  const Value page{ValueList{number(7), Value{ValueList{text("k")}}}};
  EXPECT_EQ(encoded_reply(page, S::kPage, 3), "*2\r\n$1\r\n7\r\n*1\r\n$1\r\nk\r\n");
}

TEST(RedisReplyShape, DependsOnArgumentsWhereItDoes) {
  const std::vector<ByteView> set = {"k", "v"};
  const std::vector<ByteView> set_get = {"k", "v", "get"};
  EXPECT_EQ(shape_of("SET", set), S::kStatus);
  EXPECT_EQ(shape_of("SET", set_get), S::kText);
  EXPECT_EQ(shape_of("SET", {}), S::kAny);
  EXPECT_EQ(shape_of("GET", {}), S::kText);
  EXPECT_EQ(shape_of("PING", {}), S::kStatus);
  const std::vector<ByteView> range = {"z", "0", "-1"};
  const std::vector<ByteView> scores = {"z", "0", "-1", "WITHSCORES"};
  EXPECT_EQ(shape_of("ZRANGE", range), S::kTexts);
  EXPECT_EQ(shape_of("ZRANGE", scores), S::kScores);
  EXPECT_EQ(shape_of("MODULE.COMMAND", set), S::kAny);
}

TEST(RedisReplyShape, SaysWhatItCanHold) {
  EXPECT_TRUE(can_hold(S::kText, number(1)));
  EXPECT_TRUE(can_hold(S::kNumber, {}));
  EXPECT_FALSE(can_hold(S::kNumber, text("1")));
  EXPECT_FALSE(can_hold(S::kText, Value{ValueList{}}));
  EXPECT_FALSE(can_hold(S::kPage, {}));
  EXPECT_FALSE(can_hold(S::kPage, Value{ValueList{number(0), number(0)}}));
  EXPECT_FALSE(can_hold(S::kPairs, Value{ValueList{}}));
  EXPECT_FALSE(words_for(S::kNumber).empty());
}

}  // namespace
}  // namespace misrule::codecs::redis
