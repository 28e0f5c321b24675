#include "codecs/http/field_lines.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

constexpr ByteView kHead = "GET / HTTP/1.1\r\nHost:  shop \r\nX-A:\r\nx-a: 2\r\n\r\n";

TEST(FieldLines, comeInOrderAndAsTheyWereSent) {
  FieldLines lines(kHead);
  const auto host = lines.next();
  ASSERT_TRUE(host.has_value());
  EXPECT_EQ(host->line, "Host:  shop \r\n");
  EXPECT_EQ(host->value, "shop");
  EXPECT_EQ(lines.next()->value, "");
  EXPECT_EQ(lines.next()->value, "2");
  EXPECT_FALSE(lines.next().has_value());
}

TEST(FieldLines, areFoundWithoutCase) {
  EXPECT_EQ(find_field(kHead, "HOST"), "shop");
  EXPECT_EQ(find_field(kHead, "X-a"), "");
  EXPECT_FALSE(find_field(kHead, "X").has_value());
  EXPECT_FALSE(find_field("HTTP/1.1 200 OK\r\n\r\n", "X").has_value());
}

}  // namespace
}  // namespace misrule::codecs::http
