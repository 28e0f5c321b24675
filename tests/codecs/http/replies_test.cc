#include "codecs/http/replies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string reply(const ErrorText& error, const ReplyTo& to = {}) {
  std::string out;
  append_reply(out, error, to);
  return out;
}

TEST(Reply, isWhatAServerWouldSay) {
  EXPECT_EQ(reply({.status = 503, .body = "{\"error\": 1}"}),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
            "Content-Length: 12\r\n\r\n{\"error\": 1}");
  EXPECT_EQ(reply({.status = 404}), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(reply({.status = 599}), "HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n");
}

TEST(Reply, theContentTypeFollowsTheBody) {
  EXPECT_THAT(reply({.status = 500, .body = "[1]"}), HasSubstr("application/json"));
  EXPECT_THAT(reply({.status = 500, .body = "<p>"}), HasSubstr("text/html"));
  EXPECT_THAT(reply({.status = 500, .body = "oops"}), HasSubstr("text/plain"));
  EXPECT_THAT(reply({.status = 500, .content_type = "a/b", .body = "<p>"}), HasSubstr(": a/b\r\n"));
}

TEST(Reply, someHaveNoBodyByNature) {
  EXPECT_EQ(reply({.status = 204}), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(reply({.status = 304}), "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(reply({.status = 205}), "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(reply({.status = 500, .body = "oops"}, {.head = true}),
            "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 4\r\n\r\n");
}

TEST(Reply, theConnectionsFate) {
  EXPECT_THAT(reply({.status = 500}, {.close = true}), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(reply({.status = 500}, {.old_keep_alive = true, .close = true}),
              Not(HasSubstr("keep-alive")));
  EXPECT_THAT(reply({.status = 500}, {.old_keep_alive = true}),
              HasSubstr("Connection: keep-alive\r\n"));
}

}  // namespace
}  // namespace misrule::codecs::http
