// What events show of traffic, and how addresses are written.

#include <gtest/gtest.h>

#include "proxy/main/json_lines.h"
#include "proxy/net/event_text.h"
#include "proxy/proxy.h"

namespace misrule::proxy {
namespace {

TEST(EventTextTest, ShortTextIsShownAsItIs) {
  EXPECT_EQ(event_text("SELECT 'x'"), "SELECT 'x'");
  EXPECT_EQ(event_text(""), "");
}

TEST(EventTextTest, LongTextSaysHowMuchIsLeftOut) {
  EXPECT_EQ(event_text(std::string(2048, 'x')), std::string(2048, 'x'));
  EXPECT_EQ(event_text(std::string(2050, 'x')), std::string(2048, 'x') + "… (2 bytes more)");
}

TEST(EventTextTest, ACutNeverSplitsACharacter) {
  EXPECT_EQ(event_text(std::string(2047, 'x') + "é"), std::string(2047, 'x') + "… (2 bytes more)");
}

TEST(EventTextTest, PasswordsAreMasked) {
  EXPECT_EQ(event_text("alter role r Password 'it''s' valid until 'x'"),
            "alter role r Password '***' valid until 'x'");
  EXPECT_EQ(event_text("CREATE ROLE a PASSWORD 'one'; CREATE ROLE b PASSWORD E'two'"),
            "CREATE ROLE a PASSWORD '***'; CREATE ROLE b PASSWORD E'***'");
  EXPECT_EQ(event_text("create role a password 'unfinished"), "create role a password '***'");
  EXPECT_EQ(event_text("select password from users"), "select password from users");
}

TEST(EventTextTest, WhatIsNoUtf8IsReplaced) {
  for (const char* good : {"é", "€", "😀", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(event_text(good), good);
  }
  EXPECT_EQ(event_text("caf\xE9!"), "caf\uFFFD!");
  EXPECT_EQ(event_text("\xC0\x80"), "\uFFFD\uFFFD");
  EXPECT_EQ(event_text("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(event_text("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(event_text("\xE2\x82"), "\uFFFD\uFFFD");
}

TEST(EndpointTest, ReadsAndWritesAddresses) {
  for (const char* text : {"127.0.0.1:5432", "[::1]:80", "10.1.2.3:0"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint.has_value()) << text;
    EXPECT_EQ(endpoint_text(*endpoint), text);
  }
  EXPECT_EQ(endpoint_text(*parse_endpoint("localhost:5432")), "127.0.0.1:5432");
}

TEST(EndpointTest, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "5432", "db:5432", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:5x",
                           "::1:80", "[::1:80"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint.has_value()) << text;
    EXPECT_EQ(endpoint.error().code, Code::kInvalid);
  }
}

TEST(JsonLinesTest, FieldsKeepTheirOrderAndTypes) {
  model::Event event{.number = 7, .time_ns = 5, .service = "api", .type = "proxy"};
  event.set("path", "a\"b\\c\n").set("rows", std::int64_t{3}).set("failed", false);
  event.set("data", model::Json{R"({"x":1})"}).set("none", nullptr);
  EXPECT_EQ(to_json_line(event),
            R"({"number":7,"time_ns":5,"service":"api","type":"proxy","path":"a\"b\\c\u000a",)"
            R"("rows":3,"failed":false,"data":{"x":1},"none":null})"
            "\n");
}

}  // namespace
}  // namespace misrule::proxy
