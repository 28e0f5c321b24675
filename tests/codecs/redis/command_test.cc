#include "codecs/redis/command.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/codecs/redis/rig.h"

namespace misrule::codecs::redis {
namespace {

std::string words_of(const Command& command) {
  std::string text;
  for (const ByteView word : command.words) text += "[" + std::string(word) + "]";
  return text;
}

// Byte by byte, as a decoder that keeps its place sees it.
Decoded<Command> decode(CommandDecoder& decoder, const std::string& bytes) {
  Decoded<Command> decoded = NeedMore{};
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    decoded = decoder.next(ByteView(bytes).substr(0, size));
    const auto* more = std::get_if<NeedMore>(&decoded);
    if (more == nullptr) break;
    EXPECT_GT(more->bytes_min, size);
  }
  return decoded;
}

TEST(CommandDecoder, GivesTheWords) {
  const std::string bytes = "*3\r\n$3\r\nSET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n";
  CommandDecoder decoder{Limits{}};
  const auto decoded = decode(decoder, bytes);
  const auto& command = std::get<Command>(decoded);
  EXPECT_EQ(words_of(command), "[SET][a\r\nb][]");
  EXPECT_EQ(command.wire, bytes);
  EXPECT_TRUE(command.whole);
  EXPECT_EQ(command.count, 3U);
}

TEST(CommandDecoder, TakesLinesAndWhatIsNothing) {
  CommandDecoder decoder{Limits{}};
  for (const auto& [bytes, words] : {std::pair<std::string, std::string>{"PING\r\n", "[PING]"},
                                     {"set 'a b' c\n", "[set][a b][c]"},
                                     {"\r\n", ""},
                                     {"\n", ""},
                                     {"*0\r\n", ""},
                                     {"*-1\r\n", ""},
                                     {"   \n", ""}}) {
    const auto decoded = decode(decoder, bytes);
    ASSERT_TRUE(std::holds_alternative<Command>(decoded)) << bytes;
    EXPECT_EQ(words_of(std::get<Command>(decoded)), words);
    EXPECT_EQ(std::get<Command>(decoded).wire, bytes);
  }
}

TEST(CommandDecoder, GivesTheFrontOfALongOneAndFollowsTheRest) {
  const std::string bytes = command("SET key " + std::string(500, 'x')) + command("PING");
  CommandDecoder decoder{Limits{.command_bytes_max = 100}};
  const auto decoded = decode(decoder, bytes);
  const auto& front = std::get<Command>(decoded);
  EXPECT_FALSE(front.whole);
  EXPECT_EQ(words_of(front), "[SET][key]");
  EXPECT_EQ(front.count, 3U);
  std::string rest = bytes.substr(front.wire.size());
  ASSERT_TRUE(decoder.in_rest());
  while (decoder.in_rest()) rest.erase(0, decoder.rest(rest.substr(0, 7)));
  EXPECT_EQ(rest, command("PING"));
  EXPECT_EQ(words_of(std::get<Command>(decoder.next(rest))), "[PING]");
}

// A server refuses such a length as soon as it reads it.
TEST(CommandDecoder, DoesNotWaitForAnArgumentThatEndsBehindTheLimit) {
  const std::string front = "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n";
  CommandDecoder decoder{Limits{}};
  const auto decoded = decode(decoder, front);
  ASSERT_TRUE(std::holds_alternative<Command>(decoded));
  EXPECT_EQ(std::get<Command>(decoded).wire, front);
  EXPECT_FALSE(std::get<Command>(decoded).whole);
  EXPECT_EQ(words_of(std::get<Command>(decoded)), "[SET][x]");
  EXPECT_TRUE(decoder.in_rest());
}

// The argument that ends at the limit is the last one that is waited for.
TEST(CommandDecoder, WaitsForAnArgumentThatEndsAtTheLimit) {
  const std::string head = "*2\r\n$3\r\nGET\r\n$10\r\n";
  for (const bool fits : {true, false}) {
    CommandDecoder decoder{Limits{.command_bytes_max = head.size() + (fits ? 12U : 11U)}};
    const auto decoded = decode(decoder, head);
    EXPECT_EQ(std::holds_alternative<NeedMore>(decoded), fits);
  }
}

TEST(CommandDecoder, SaysWhatCannotBeRead) {
  for (const auto& [bytes, what] :
       {std::pair<std::string, std::string>{"*1\r\n+PING", "byte 0x2b where '$' is due"},
        {"*1x", "no length"},
        {"*2147483648\r\n", "no number of arguments"},
        {"*1\r\n$-1\r\n", "no length of an argument"},
        {"\x16\x03\x01", "bytes that begin no command"},
        {"GET 'a\n", "quotes that do not fit"}}) {
    CommandDecoder decoder{Limits{}};
    const auto decoded = decode(decoder, bytes);
    ASSERT_TRUE(std::holds_alternative<DecodeError>(decoded)) << bytes;
    EXPECT_EQ(std::get<DecodeError>(decoded).what, what);
  }
  CommandDecoder decoder{Limits{.inline_bytes_max = 10}};
  const auto decoded = decoder.next("GET abcdefghijkl");
  EXPECT_EQ(std::get<DecodeError>(decoded).what, "a line of more than 10 bytes");
}

TEST(CommandDecoder, FindsTheEndOfOneWithAKnownName) {
  const std::string get = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
  CommandDecoder decoder{Limits{}};
  EXPECT_EQ(decoder.whole(get + "*1\r\n", "GET"), get.size());
  EXPECT_EQ(decoder.whole(get, "get"), 0U);
  EXPECT_EQ(decoder.whole("*0\r\n", "GET"), 0U);
  EXPECT_EQ(decoder.whole("GET a\r\n", "GET"), 0U);
  for (std::size_t size = 0; size < get.size(); ++size) {
    EXPECT_EQ(decoder.whole(get.substr(0, size), "GET"), 0U) << size;
  }
  // It has begun to look at this one itself, and keeps its place.
  EXPECT_TRUE(std::holds_alternative<NeedMore>(decoder.next(get.substr(0, 5))));
  EXPECT_EQ(decoder.whole(get, "GET"), 0U);
}

}  // namespace
}  // namespace misrule::codecs::redis
