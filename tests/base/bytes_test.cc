#include "base/bytes.h"

#include <gtest/gtest.h>

namespace misrule {
namespace {

using namespace std::literals;

TEST(ByteReader, ReadsBigEndianNumbersOfEveryWidth) {
  ByteReader reader("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"sv);
  EXPECT_EQ(reader.read_u8(), 0x01);
  EXPECT_EQ(reader.read_u16(), 0x0203);
  EXPECT_EQ(reader.read_u32(), 0x04050607U);
  EXPECT_EQ(reader.read_u64(), 0x08090a0b0c0d0e0fULL);
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
}

TEST(ByteReader, SignedNumbersKeepTheirSign) {
  ByteReader reader("\xff\xff\xff\xff"sv);
  EXPECT_EQ(reader.read_i32(), -1);
}

TEST(ByteReader, AShortReadFailsForGood) {
  ByteReader reader("\x01\x02"sv);
  EXPECT_EQ(reader.read_u32(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.read_u8(), 0);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, CstringEndsAtItsNul) {
  ByteReader reader("name\0rest"sv);
  EXPECT_EQ(reader.read_cstring(), "name");
  EXPECT_EQ(reader.rest(), "rest");
  EXPECT_EQ(reader.read_cstring(), "");
  EXPECT_FALSE(reader.ok());
}

TEST(Append, WhatIsWrittenIsReadBack) {
  std::string out;
  append_u8(out, 0xfe);
  append_u16(out, 0xfedc);
  append_u32(out, 0xfedcba98U);
  append_u64(out, 0xfedcba9876543210ULL);
  append_cstring(out, "x");
  ByteReader reader(out);
  EXPECT_EQ(reader.read_u8(), 0xfe);
  EXPECT_EQ(reader.read_u16(), 0xfedc);
  EXPECT_EQ(reader.read_u32(), 0xfedcba98U);
  EXPECT_EQ(reader.read_u64(), 0xfedcba9876543210ULL);
  EXPECT_EQ(reader.read_cstring(), "x");
  EXPECT_TRUE(reader.at_end());
}

TEST(Hex, SeparatesBytes) { EXPECT_EQ(to_hex("P\0*"sv), "50 00 2a"); }

}  // namespace
}  // namespace misrule
