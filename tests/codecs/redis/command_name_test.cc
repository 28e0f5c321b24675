#include "codecs/redis/command_name.h"

#include <string>

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

std::vector<ByteView> split(ByteView text) {
  std::vector<ByteView> words;
  while (!text.empty()) {
    words.push_back(text.substr(0, text.find(' ')));
    text.remove_prefix(std::min(text.size(), words.back().size() + 1));
  }
  return words;
}

std::string keys_of(ByteView text) {
  const std::vector<ByteView> words = split(text);
  const CommandName name(words);
  std::vector<ByteView> keys;
  if (name.traits() != nullptr) append_keys(*name.traits(), words, words.size(), keys);
  std::string joined;
  for (const ByteView key : keys) joined += (joined.empty() ? "" : " ") + std::string(key);
  return joined;
}

TEST(CommandName, IsInCapitalsWithItsSubcommand) {
  EXPECT_EQ(CommandName(split("get k")).text(), "GET");
  EXPECT_EQ(CommandName(split("client reply off")).text(), "CLIENT REPLY");
  EXPECT_EQ(CommandName(split("config")).text(), "CONFIG");
  const std::vector<ByteView> unknown = split("client nosuch");
  EXPECT_EQ(CommandName(unknown).text(), "CLIENT NOSUCH");
  EXPECT_EQ(CommandName(unknown).traits(), nullptr);
  const std::string longer(200, 'x');
  EXPECT_EQ(CommandName(std::vector<ByteView>{longer}).text().size(), 64U);
}

TEST(CommandKeys, StandWhereTheServerSaysTheyStand) {
  EXPECT_EQ(keys_of("PING"), "");
  EXPECT_EQ(keys_of("NOSUCH a b"), "");
  EXPECT_EQ(keys_of("SET k v"), "k");
  EXPECT_EQ(keys_of("mset a 1 b 2"), "a b");
  EXPECT_EQ(keys_of("DEL a b c"), "a b c");
  EXPECT_EQ(keys_of("BLPOP a b 0"), "a b");
  EXPECT_EQ(keys_of("BITOP AND d a b"), "d a b");
  EXPECT_EQ(keys_of("OBJECT ENCODING k"), "k");
  EXPECT_EQ(keys_of("XGROUP CREATE s g $"), "s");
  EXPECT_EQ(keys_of("EVAL return 2 a b x y"), "a b");
  EXPECT_EQ(keys_of("EVALSHA abc 0 x"), "");
  EXPECT_EQ(keys_of("FCALL f 1 k x"), "k");
  EXPECT_EQ(keys_of("ZUNION 2 a b WITHSCORES"), "a b");
  EXPECT_EQ(keys_of("ZUNIONSTORE d 2 a b WEIGHTS 1 2"), "d a b");
  EXPECT_EQ(keys_of("BLMPOP 0 2 a b LEFT"), "a b");
  EXPECT_EQ(keys_of("XREAD COUNT 2 BLOCK 0 STREAMS a b 0 0"), "a b");
  EXPECT_EQ(keys_of("XREADGROUP GROUP streams me COUNT 1 STREAMS a >"), "a");
  EXPECT_EQ(keys_of("SORT l BY STORE GET x STORE d"), "l d");
  EXPECT_EQ(keys_of("GEORADIUS g 0 0 1 km STORE d"), "g d");
  EXPECT_EQ(keys_of("MIGRATE h 1 k 0 10"), "k");
}

TEST(CommandKeys, OfMigrateMayStandBehindKeys) {
  const std::vector<ByteView> words = {"MIGRATE", "h",    "1",    "",  "0", "10",
                                       "AUTH",    "KEYS", "KEYS", "a", "b"};
  std::vector<ByteView> keys;
  append_keys(*find_command("MIGRATE"), words, words.size(), keys);
  EXPECT_EQ(keys, (std::vector<ByteView>{"a", "b"}));
}

TEST(CommandKeys, AreThoseThatAreThere) {
  std::vector<ByteView> keys;
  // Of 1,000 words two are there.
  append_keys(*find_command("MSET"), std::vector<ByteView>{"MSET", "a"}, 1000, keys);
  EXPECT_EQ(keys, (std::vector<ByteView>{"a"}));
  EXPECT_EQ(keys_of("EVAL x 99999999999999999999 a"), "");
  EXPECT_EQ(keys_of("EVAL x 5 a"), "a");
  EXPECT_EQ(keys_of("EVAL x -1 a"), "");
  EXPECT_EQ(keys_of("EVAL x"), "");
  EXPECT_EQ(keys_of("XREAD COUNT"), "");
  EXPECT_EQ(keys_of("XREAD STREAMS"), "");
  EXPECT_EQ(keys_of("MIGRATE h"), "");
}

}  // namespace
}  // namespace misrule::codecs::redis
