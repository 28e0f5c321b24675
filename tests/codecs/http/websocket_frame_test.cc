#include "codecs/http/websocket_frame.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

FrameHead head_of(const std::string& bytes, bool from_client) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto early = read_frame_head(ByteView(bytes).substr(0, size), from_client);
    EXPECT_TRUE(std::holds_alternative<NeedMore>(early)) << size;
  }
  const auto read = read_frame_head(bytes, from_client);
  EXPECT_TRUE(std::holds_alternative<FrameHead>(read));
  return std::get<FrameHead>(read);
}

TEST(WebSocketFrame, lengthsHaveThreeForms) {
  EXPECT_EQ(head_of(std::string("\x81\x7d", 2), false).length, 125U);
  EXPECT_EQ(head_of(std::string("\x02\x7e\x01\x02", 4), false).length, 258U);
  EXPECT_EQ(head_of(std::string("\x82\x7f\0\0\0\1\0\0\0\2", 10), false).length, 0x100000002U);
  const FrameHead masked = head_of(
      "\xc1\x85"
      "abcd",
      true);
  EXPECT_TRUE(masked.compressed);
  EXPECT_EQ(std::string(masked.mask.begin(), masked.mask.end()), "abcd");
}

TEST(WebSocketFrame, whatNoPeerSaysIsAnError) {
  for (const std::string& bytes :
       {std::string("\x83\x00", 2), std::string("\xa1\x00", 2), std::string("\x89\x7e", 2),
        std::string("\x09\x00", 2), std::string("\x81\x80", 2),
        std::string("\x82\x7f\x80\0\0\0\0\0\0\0", 10)}) {
    EXPECT_TRUE(std::holds_alternative<DecodeError>(read_frame_head(bytes, false)));
  }
  EXPECT_TRUE(
      std::holds_alternative<DecodeError>(read_frame_head(std::string("\x81\x00", 2), true)));
}

TEST(WebSocketFrame, aCloseFrameHasItsCode) {
  EXPECT_EQ(close_frame(1011, "why"), std::string("\x88\x05\x03\xf3why"));
  EXPECT_EQ(close_frame(1000, std::string(200, 'x')).size(), 127U);
}

}  // namespace
}  // namespace misrule::codecs::http
