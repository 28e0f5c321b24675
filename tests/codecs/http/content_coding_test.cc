#include "codecs/http/content_coding.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace misrule::codecs::http {
namespace {

std::string deflated(const std::string& text, int window_bits) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 100, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

const std::string kText(5000, 'x');

TEST(ContentCoding, knowsFourFormats) {
  const std::string gzip = deflated(kText, 16 + MAX_WBITS);
  EXPECT_EQ(*decode_content("GZIP", gzip, 1 << 20), kText);
  EXPECT_EQ(*decode_content("gzip", gzip + gzip, 1 << 20), kText + kText);
  EXPECT_EQ(*decode_content("deflate", deflated(kText, MAX_WBITS), 1 << 20), kText);
  EXPECT_EQ(*decode_content("deflate", deflated(kText, -MAX_WBITS), 1 << 20), kText);
  std::string zstd(ZSTD_compressBound(kText.size()), '\0');
  zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), kText.data(), kText.size(), 3));
  EXPECT_EQ(*decode_content("zstd", zstd, 1 << 20), kText);
  EXPECT_FALSE(decode_content("zstd", zstd.substr(0, zstd.size() - 1), 1 << 20).has_value());
  EXPECT_FALSE(decode_content("zstd", zstd, 100).has_value());
}

TEST(ContentCoding, whatIsDamagedOrTooLongOrUnknownIsSaid) {
  const std::string gzip = deflated(kText, 16 + MAX_WBITS);
  EXPECT_EQ(decode_content("gzip", gzip.substr(0, 20), 1 << 20).error(),
            "the compressed body is damaged");
  EXPECT_EQ(decode_content("gzip", "", 1 << 20).error(), "the compressed body is damaged");
  EXPECT_EQ(decode_content("zstd", "no", 1 << 20).error(), "the compressed body is damaged");
  EXPECT_EQ(decode_content("gzip", gzip, 4999).error(),
            "the decoded body has more than 4999 bytes");
  EXPECT_EQ(decode_content("br", gzip, 1 << 20).error(), "the coding \"br\" is not decoded");
  EXPECT_FALSE(is_decodable("br"));
}

}  // namespace
}  // namespace misrule::codecs::http
