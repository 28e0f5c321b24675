#include "codecs/redis/value_scanner.h"

#include <string>

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

// The value, something behind it, at once and byte by byte: where it ends.
std::size_t end_of(const std::string& value) {
  const std::string bytes = value + "+next\r\n";
  ValueScanner whole(64);
  const std::size_t end = whole.advance(bytes);
  EXPECT_TRUE(whole.done()) << value;
  ValueScanner slow(64);
  std::size_t at = 0;
  while (!slow.done() && at < bytes.size()) at += slow.advance(bytes.substr(at, 1));
  EXPECT_EQ(at, end) << value;
  EXPECT_EQ(slow.value_offset(), whole.value_offset());
  return end;
}

std::string error_of(const std::string& bytes, std::size_t depth_max = 64) {
  ValueScanner scanner(depth_max);
  scanner.advance(bytes);
  return scanner.error() ? scanner.error()->what : "";
}

TEST(ValueScanner, FindsTheEndOfEveryType) {
  for (const char* value : {"+OK\r\n",
                            "+\r\n",
                            "-ERR a\rb\n\r\n",
                            ":-5\r\n",
                            "$0\r\n\r\n",
                            "$5\r\na\r\nbc\r\n",
                            "$-1\r\n",
                            "*-1\r\n",
                            "*0\r\n",
                            "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
                            "_\r\n",
                            "#t\r\n",
                            ",1.5\r\n",
                            "(123456789012345678901234567890\r\n",
                            "=5\r\ntxt:a\r\n",
                            "!3\r\nERR\r\n",
                            "%1\r\n+k\r\n:1\r\n",
                            "~2\r\n:1\r\n:2\r\n",
                            ">1\r\n+x\r\n",
                            "%0\r\n",
                            "$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n",
                            "*?\r\n:1\r\n*?\r\n.\r\n.\r\n",
                            "%?\r\n+a\r\n:1\r\n.\r\n"}) {
    EXPECT_EQ(end_of(value), std::string(value).size()) << value;
  }
}

TEST(ValueScanner, AnAttributeBelongsToWhatFollowsIt) {
  const std::string attribute = "|1\r\n+ttl\r\n:5\r\n";
  EXPECT_EQ(end_of(attribute + "$1\r\nx\r\n"), attribute.size() + 7);
  EXPECT_EQ(end_of("*2\r\n" + attribute + ":1\r\n|0\r\n:2\r\n"), 4 + attribute.size() + 12);
  ValueScanner scanner(8);
  scanner.advance(attribute + "$1\r\nx\r\n");
  EXPECT_EQ(scanner.value_offset(), attribute.size());
}

TEST(ValueScanner, SaysWhatCannotBeRead) {
  EXPECT_EQ(error_of("HTTP/1.1"), "byte 0x48 begins no value");
  EXPECT_EQ(error_of("$x\r\n"), "no length behind '$'");
  EXPECT_EQ(error_of("$\r\n"), "no length behind '$'");
  EXPECT_EQ(error_of("$99999999999999999999\r\n"), "no length behind '$'");
  EXPECT_EQ(error_of("*1111111111111111111111\r\n"), "no length behind '*'");
  EXPECT_EQ(error_of("%-1\r\n"), "length -1 behind '%'");
  EXPECT_EQ(error_of("$1\r\nabc"), "a string is longer than it said");
  EXPECT_EQ(error_of(".\r\n"), "an end of what was not begun");
  EXPECT_EQ(error_of(";1\r\n"), "byte ';' where none may be");
  EXPECT_EQ(error_of("$?\r\n+x\r\n"), "byte '+' within a streamed string");
  EXPECT_EQ(error_of("=?\r\n"), "'=' is never streamed");
}

TEST(ValueScanner, DepthIsBoundedAndCountsCostNoMemory) {
  std::string deep;
  for (int i = 0; i < 5; ++i) deep += "*1\r\n";
  EXPECT_EQ(error_of(deep, 4), "nested deeper than 4");
  EXPECT_EQ(error_of("*45035996273704960\r\n:1\r\n"), "");
  EXPECT_EQ(error_of("%45035996273704960\r\n:1\r\n"), "");
}

TEST(ValueScanner, StartsOverWithTheNextValue) {
  ValueScanner scanner(8);
  EXPECT_EQ(scanner.advance("+a\r\n:1\r\n"), 4U);
  EXPECT_EQ(scanner.advance(":1\r\n"), 0U);
  scanner.restart();
  EXPECT_EQ(scanner.advance(":1\r\n"), 4U);
  EXPECT_TRUE(scanner.done());
}

}  // namespace
}  // namespace misrule::codecs::redis
