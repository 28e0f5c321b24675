#include "codecs/http/rewrite_head.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

constexpr ByteView kHead = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\n\r\n";

std::string with_status(ByteView head, unsigned was, unsigned status, bool answers_head = false) {
  return rewritten_head(head, was, {.status = status}, answers_head);
}

TEST(RewriteHead, aStatusThatHasNoBodyHasNoLength) {
  EXPECT_EQ(with_status(kHead, 200, 503),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nA: b\r\n\r\n");
  EXPECT_EQ(with_status(kHead, 200, 204), "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n");
  EXPECT_EQ(with_status(kHead, 200, 205),
            "HTTP/1.1 205 Reset Content\r\nA: b\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(with_status("HTTP/1.1 304 x\r\n\r\n", 304, 200),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(with_status("HTTP/1.1 304 x\r\n\r\n", 304, 200, true), "HTTP/1.1 200 OK\r\n\r\n");
}

TEST(RewriteHead, knowsAStreamOfEvents) {
  EXPECT_TRUE(is_event_stream("HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream; x=y\r\n\r\n"));
  EXPECT_FALSE(is_event_stream("HTTP/1.1 200 OK\r\ncontent-type: text/event-streams\r\n\r\n"));
  EXPECT_FALSE(is_event_stream(kHead));
}

}  // namespace
}  // namespace misrule::codecs::http
