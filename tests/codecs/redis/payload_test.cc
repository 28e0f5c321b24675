#include "codecs/redis/payload.h"

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

std::string shown(std::string bytes) {
  std::string payload;
  for (const PayloadSpan& span : payload_of(bytes)) payload += bytes.substr(span.at, span.size);
  return payload;
}

TEST(RedisPayload, IsWhatIsHeldAndNotWhatFrames) {
  EXPECT_EQ(shown("$5\r\nhello\r\n"), "hello");
  EXPECT_EQ(shown("*3\r\n$1\r\na\r\n:-12\r\n+OK\r\n"), "a12OK");
  EXPECT_EQ(shown("=7\r\ntxt:abc\r\n"), "abc");
  EXPECT_EQ(shown("%1\r\n$1\r\nk\r\n,1.5\r\n"), "k15");
  EXPECT_EQ(shown("$-1\r\n"), "");
  EXPECT_EQ(shown("_\r\n"), "");
  EXPECT_EQ(shown("$100\r\nthe front"), "the front");
  EXPECT_EQ(shown("$100"), "");
  EXPECT_EQ(shown("$3\r\na\r\n\r\n"), "a\r\n");
}

TEST(RedisPayload, IsChangedWithinItsFrame) {
  const std::string value = "*2\r\n$5\r\nhello\r\n:42\r\n";
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::string bytes = value;
    ASSERT_TRUE(corrupt_payload(bytes, payload_of(value), 2, seed));
    ASSERT_EQ(bytes.size(), value.size());
    std::size_t changed = 0;
    for (std::size_t i = 0; i < value.size(); ++i) changed += bytes[i] != value[i] ? 1 : 0;
    EXPECT_EQ(changed, 2U);
    EXPECT_TRUE(bytes.starts_with("*2\r\n$5\r\n") && bytes.ends_with("\r\n")) << bytes;
    const std::string digits = bytes.substr(16, 2);
    EXPECT_EQ(digits.find_first_not_of("0123456789"), std::string::npos) << bytes;
    std::string again = value;
    corrupt_payload(again, payload_of(value), 2, seed);
    EXPECT_EQ(bytes, again);
  }
  std::string all = value;
  EXPECT_TRUE(corrupt_payload(all, payload_of(value), 1000, 1));
  std::string nil = "$-1\r\n";
  EXPECT_FALSE(corrupt_payload(nil, payload_of(nil), 1, 1));
}

TEST(RedisPayload, FramesAreMadeUnreadable) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::string bytes = "$5\r\nhello\r\n";
    ASSERT_TRUE(corrupt_framing(bytes, seed));
    EXPECT_TRUE(bytes.starts_with("x5") || bytes.starts_with("$x")) << bytes;
    std::string status = "+OK\r\n";
    ASSERT_TRUE(corrupt_framing(status, seed));
    EXPECT_EQ(status, "xOK\r\n");
  }
}

TEST(RedisPayload, EndsWithin) {
  const auto spans = payload_of("*2\r\n$5\r\nhello\r\n+OK\r\n");
  EXPECT_EQ(cut_after(spans, 0), 8U);
  EXPECT_EQ(cut_after(spans, 5), 13U);
  EXPECT_EQ(cut_after(spans, 6), 17U);
  EXPECT_EQ(cut_after(spans, 8), std::nullopt);
  EXPECT_EQ(cut_after({}, 0), std::nullopt);
}

}  // namespace
}  // namespace misrule::codecs::redis
