#include "codecs/http/asked.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

constexpr ByteView kHead =
    "GET /a?x=1&x=2&na%20me=a+b%21&flag#f HTTP/1.1\r\nHost: shop:80\r\nA: 1\r\na: 2\r\n\r\n";
constexpr ByteView kTarget = "/a?x=1&x=2&na%20me=a+b%21&flag#f";

bool has(const RequestDetails& details, Detail what, std::string_view key, std::string_view value) {
  return details.any(what, key, [&](std::string_view one) { return one == value; });
}

TEST(RequestDetails, sayWhatWasAsked) {
  const RequestDetails details(kHead, kTarget, "body");
  EXPECT_TRUE(has(details, Detail::kHost, "", "shop:80"));
  EXPECT_TRUE(has(details, Detail::kHeader, "A", "1"));
  EXPECT_TRUE(has(details, Detail::kHeader, "A", "2"));
  EXPECT_FALSE(has(details, Detail::kHeader, "B", ""));
  EXPECT_TRUE(has(details, Detail::kQueryParameter, "x", "2"));
  EXPECT_TRUE(has(details, Detail::kQueryParameter, "na me", "a b!"));
  EXPECT_TRUE(has(details, Detail::kQueryParameter, "flag", ""));
  EXPECT_FALSE(has(details, Detail::kQueryParameter, "f", ""));
  EXPECT_TRUE(has(details, Detail::kBody, "", "body"));
  EXPECT_FALSE(has(details, Detail::kReplyStatus, "", ""));
  EXPECT_FALSE(has(details, Detail::kMessage, "", ""));
  EXPECT_FALSE(has(details, Detail::kTable, "", ""));
}

TEST(RequestDetails, thePathAsItWasSent) {
  const RequestDetails details("GET /a%2fb/../c HTTP/1.1\r\n\r\n", "/a%2fb/../c?d=%2f", "");
  EXPECT_TRUE(has(details, Detail::kRawPath, "", "/a%2Fb/../c"));
}

TEST(RequestDetails, anAbsoluteTargetSaysWhoIsAsked) {
  const RequestDetails details("GET http://shop/ HTTP/1.1\r\nHost: shop\r\n\r\n", "http://shop/",
                               "");
  EXPECT_TRUE(has(details, Detail::kHost, "", "shop"));
}

TEST(RequestDetails, ofRepliesAndMessages) {
  RequestDetails details(kHead, kTarget, "");
  details.with_status(503).with_message("text", "to_client");
  EXPECT_TRUE(has(details, Detail::kReplyStatus, "", "503"));
  EXPECT_TRUE(has(details, Detail::kMessage, "", "text"));
  EXPECT_TRUE(has(details, Detail::kDirection, "", "to_client"));
}

}  // namespace
}  // namespace misrule::codecs::http
