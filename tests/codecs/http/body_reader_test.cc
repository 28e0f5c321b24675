#include "codecs/http/body_reader.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

constexpr BodyFraming kChunked = {.kind = BodyFraming::Kind::kChunked};

// Byte by byte and whole must agree; returns the length of the body, or npos for an error.
std::size_t length_of(std::string_view bytes, const BodyFraming& framing,
                      const Limits& limits = {}) {
  BodyReader whole(limits);
  whole.start(framing);
  const std::size_t at_once = whole.advance(bytes);
  BodyReader slow(limits);
  slow.start(framing);
  std::size_t used = 0;
  while (used < bytes.size() && slow.advance(bytes.substr(used, 1)) == 1) ++used;
  EXPECT_EQ(used, at_once);
  EXPECT_EQ(slow.done(), whole.done());
  EXPECT_EQ(slow.error().has_value(), whole.error().has_value());
  return whole.error().has_value() ? std::string_view::npos : at_once;
}

TEST(BodyReader, lengths) {
  EXPECT_EQ(length_of("abcdef", {.kind = BodyFraming::Kind::kLength, .length = 4}), 4U);
  EXPECT_EQ(length_of("abcdef", {}), 0U);
  EXPECT_EQ(length_of("abcdef", {.kind = BodyFraming::Kind::kUntilClose}), 6U);
}

TEST(BodyReader, chunks) {
  const std::string body =
      "5\r\nhello\r\nA;name=\"v\"\r\n0123456789\r\n000\r\nT: 1\r\nU: 2\r\n\r\n";
  EXPECT_EQ(length_of(body + "GET", kChunked), body.size());
  EXPECT_EQ(length_of("0\r\n\r\nx", kChunked), 5U);
}

TEST(BodyReader, brokenChunks) {
  for (const std::string_view body : {"5\r\nhelloX\r\n", "5\r\nhello\rX", "0\r\n T: 1\r\n",
                                      "0\r\nT: 1\n", "0\r\n\n", "0\r\n\rX", "5\rX", "x"}) {
    EXPECT_EQ(length_of(body, kChunked), std::string_view::npos) << body;
  }
}

TEST(BodyReader, sizesUpToTheLimitAndOneBeyond) {
  EXPECT_EQ(length_of("fffffffffffffff\r\nx", kChunked), 18U);
  EXPECT_EQ(length_of("1000000000000000\r\nx", kChunked), std::string_view::npos);
}

TEST(BodyReader, linesUpToTheLimitAndOneBeyond) {
  const Limits limits = {.chunk_line_bytes_max = 8, .trailer_bytes_max = 6};
  EXPECT_EQ(length_of("00000000\r\n\r\n", kChunked, limits), 12U);
  EXPECT_EQ(length_of("000000000\r\n\r\n", kChunked, limits), std::string_view::npos);
  EXPECT_EQ(length_of("0;12345\r\n\r\n", kChunked, limits), 11U);
  EXPECT_EQ(length_of("0;12345678901\r\n\r\n", kChunked, limits), std::string_view::npos);
  EXPECT_EQ(length_of("0\r\nT: 12\r\n\r\n", kChunked, limits), 12U);
  EXPECT_EQ(length_of("0\r\nT: 12345\r\n\r\n", kChunked, limits), std::string_view::npos);
}

TEST(BodyReader, startsOver) {
  BodyReader reader({});
  reader.start(kChunked);
  reader.advance("x");
  EXPECT_TRUE(reader.error().has_value());
  reader.start({.kind = BodyFraming::Kind::kLength, .length = 2});
  EXPECT_FALSE(reader.error().has_value());
  EXPECT_EQ(reader.advance("abc"), 2U);
  EXPECT_TRUE(reader.done());
}

}  // namespace
}  // namespace misrule::codecs::http
