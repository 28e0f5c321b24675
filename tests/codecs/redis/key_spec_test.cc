#include "codecs/redis/key_spec.h"

#include <string>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

std::vector<ByteView> split(std::string_view line) {
  std::vector<ByteView> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

// `more`: how many words follow that are not seen.
std::string keys(const KeySpec& spec, std::string_view line, std::uint64_t more = 0) {
  const std::vector<ByteView> words = split(line);
  std::vector<ByteView> found;
  append_keys(spec, words, words.size() + more, found);
  return fmt::format("{}", fmt::join(found, " "));
}

TEST(KeySpec, ARangeFromAnIndex) {
  EXPECT_EQ(keys({.from = 1}, "X a b c"), "a");
  EXPECT_EQ(keys({.from = 2, .last = 1}, "X a b c d"), "b c");
  EXPECT_EQ(keys({.from = 1, .last = -1}, "X a b c"), "a b c");
  EXPECT_EQ(keys({.from = 1, .last = -2, .step = 2}, "X a 1 b 2 end"), "a b");
  EXPECT_EQ(keys({.from = 1, .last = -1}, "X"), "");
  EXPECT_EQ(keys({.from = 5}, "X a"), "");
}

TEST(KeySpec, BehindAWordHalfOfWhatIsLeft) {
  const KeySpec streams{.keyword = "STREAMS", .from = 1, .last = -1, .limit = 2};
  EXPECT_EQ(keys(streams, "X COUNT 2 streams a b 0 0"), "a b");
  EXPECT_EQ(keys(streams, "X a b"), "");
  EXPECT_EQ(keys(streams, "X STREAMS a", 3), "a");
  const KeySpec migrate{.keyword = "KEYS", .from = -2, .last = -1};
  EXPECT_EQ(keys(migrate, "X h p KEYS 0 KEYS a b"), "a b");
  EXPECT_EQ(keys({.keyword = "KEYS", .from = -2, .last = -1}, "KEYS a"), "");
}

TEST(KeySpec, ANumberOfThem) {
  const KeySpec eval{.from = 2, .counted = true, .number_at = 0, .first_at = 1};
  EXPECT_EQ(keys(eval, "X script 2 a b c"), "a b");
  EXPECT_EQ(keys(eval, "X script 0 a"), "");
  EXPECT_EQ(keys(eval, "X script -1 a"), "");
  EXPECT_EQ(keys(eval, "X script many a"), "");
  EXPECT_EQ(keys(eval, "X script 2147483647 a b"), "a b");
  EXPECT_EQ(keys(eval, "X script"), "");
}

TEST(KeySpec, NonsenseFindsNothing) {
  EXPECT_EQ(keys({.from = 0}, "X a"), "");
  EXPECT_EQ(keys({.from = -1}, "X a"), "");
  EXPECT_EQ(keys({.from = 1, .last = -1, .step = 0}, "X a b"), "");
  EXPECT_EQ(keys({.from = 1, .last = -1, .step = -1}, "X a b"), "");
  EXPECT_EQ(keys({.from = 1, .counted = true, .number_at = -9, .first_at = -9}, "X 2 b"), "");
  EXPECT_EQ(keys({.keyword = "K", .from = 32767, .last = -1}, "X K b"), "");
}

}  // namespace
}  // namespace misrule::codecs::redis
