#include "codecs/redis/inline_command.h"

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

std::string split(ByteView line) {
  std::vector<ByteView> words;
  std::list<std::string> storage;
  if (!split_inline(line, words, storage)) return "refused";
  std::string text;
  for (const ByteView word : words) text += "[" + std::string(word) + "]";
  return text;
}

TEST(InlineCommand, SplitsAsTheServerDoes) {
  EXPECT_EQ(split("  SET  a\tb "), "[SET][a][b]");
  EXPECT_EQ(split(""), "");
  EXPECT_EQ(split("SET 'a b' \"c d\""), "[SET][a b][c d]");
  EXPECT_EQ(split(R"(a "\x41\n\"\q" 'it\'s \n')"), "[a][A\n\"q][it's \\n]");
  EXPECT_EQ(split("pre'fix'"), "[prefix]");
  EXPECT_EQ(split(R"("\xZZ")"), "[xZZ]");
}

TEST(InlineCommand, RefusesQuotesThatDoNotFit) {
  EXPECT_EQ(split("GET 'a"), "refused");
  EXPECT_EQ(split("GET \"a\\"), "refused");
  EXPECT_EQ(split("GET \"a\"b"), "refused");
  EXPECT_EQ(split("'"), "refused");
}

}  // namespace
}  // namespace misrule::codecs::redis
