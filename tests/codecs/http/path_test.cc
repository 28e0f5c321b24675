#include "codecs/http/path.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

std::string path_of(std::string_view target) {
  std::string storage;
  return std::string(normal_path(target, storage));
}

TEST(NormalPath, isWhatTheHeaderSays) {
  EXPECT_EQ(path_of("/orders?id=1"), "/orders");
  EXPECT_EQ(path_of("http://shop:8080/orders#x"), "/orders");
  EXPECT_EQ(path_of("http://shop"), "/");
  EXPECT_EQ(path_of("http://shop?a=/b"), "/");
  EXPECT_EQ(path_of("/caf%c3%a9/a%20b"), "/caf\xc3\xa9/a b");
  EXPECT_EQ(path_of("/files/a%2fb"), "/files/a%2Fb");
  EXPECT_EQ(path_of("*"), "*");
  EXPECT_EQ(path_of("shop:443"), "shop:443");
}

TEST(NormalPath, dotSegments) {
  EXPECT_EQ(path_of("/a/./b/../c"), "/a/c");
  EXPECT_EQ(path_of("/../../x"), "/x");
  EXPECT_EQ(path_of("/a/.."), "/");
  EXPECT_EQ(path_of("/a/b/."), "/a/b/");
  EXPECT_EQ(path_of("/a/%2e%2E/b"), "/b");
  EXPECT_EQ(path_of("/.well-known/x"), "/.well-known/x");
  EXPECT_EQ(path_of("/a/..b"), "/a/..b");
}

TEST(NormalPath, keepsWhatServersTellApart) {
  EXPECT_EQ(path_of("/A//b/"), "/A//b/");
  EXPECT_EQ(path_of("/a%zz%4"), "/a%zz%4");
  EXPECT_EQ(path_of("/a%253f"), "/a%3f");
}

TEST(RawPath, isThePathAsItWasSent) {
  EXPECT_EQ(raw_path("/caf%c3%a9/./b?x=%2f"), "/caf%C3%A9/./b");
  EXPECT_EQ(raw_path("http://shop/a%2fb/%zz%a"), "/a%2Fb/%zz%a");
  EXPECT_EQ(raw_path("http://shop"), "/");
}

TEST(RawPath, encodedBytes) {
  for (const char* encoded : {"%2F", "/a%2fb", "%%00", "*%7e"}) {
    EXPECT_TRUE(has_encoded_byte(encoded)) << encoded;
  }
  for (const char* plain : {"", "/a", "%", "/100%", "%2", "%2?", "%g0", "2F%"}) {
    EXPECT_FALSE(has_encoded_byte(plain)) << plain;
  }
}

TEST(NormalPath, copiesOnlyWhatItChanges) {
  std::string storage;
  const std::string target = "/plain?x=%20";
  EXPECT_EQ(normal_path(target, storage).data(), target.data());
  EXPECT_TRUE(storage.empty());
}

}  // namespace
}  // namespace misrule::codecs::http
