#include "codecs/http/message_head.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

using testing::HasSubstr;

std::string why_not_request(std::string_view bytes, const Limits& limits = {}) {
  RequestDecoder decoder(limits);
  const auto next = decoder.next(bytes);
  if (const auto* error = std::get_if<DecodeError>(&next)) return error->what;
  return std::holds_alternative<NeedMore>(next) ? "need more" : "fine";
}

std::string why_not_response(std::string_view bytes) {
  ResponseDecoder decoder({});
  const auto next = decoder.next(bytes);
  if (const auto* error = std::get_if<DecodeError>(&next)) return error->what;
  return std::holds_alternative<NeedMore>(next) ? "need more" : "fine";
}

TEST(RequestDecoder, readsAHead) {
  const std::string wire = "POST /a?b HTTP/1.1\r\nHost: s\r\ncontent-LENGTH:  7 \r\n\r\n";
  RequestDecoder decoder({});
  const std::string unread = wire + "1234567";
  const auto next = decoder.next(unread);
  const auto& head = std::get<RequestHead>(next);
  EXPECT_EQ(head.wire, wire);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a?b");
  EXPECT_EQ(head.body(), (BodyFraming{.kind = BodyFraming::Kind::kLength, .length = 7}));
  EXPECT_FALSE(head.closes());
}

TEST(RequestDecoder, waitsAtEveryCutAndNeverAsksForLessThanIsThere) {
  const std::string wire = "GET / HTTP/1.1\r\nHost: s\r\n\r\n";
  for (std::size_t size = 0; size < wire.size(); ++size) {
    RequestDecoder decoder({});
    const std::string part = wire.substr(0, size);
    const auto next = decoder.next(part);
    const auto* more = std::get_if<NeedMore>(&next);
    ASSERT_NE(more, nullptr) << size;
    EXPECT_GT(more->bytes_min, size);
    const auto whole = decoder.next(wire);
    EXPECT_TRUE(std::holds_alternative<RequestHead>(whole)) << size;
  }
}

TEST(RequestDecoder, whatSpeaksSomethingElseIsNotWaitedFor) {
  EXPECT_THAT(why_not_request("\x16\x03\x01"), HasSubstr("TLS"));
  EXPECT_THAT(why_not_request(std::string_view("\0\0\0\x08", 4)), HasSubstr("method"));
  EXPECT_THAT(why_not_request("*1\r\n$4\r\nPING\r\n"), HasSubstr("method"));
  EXPECT_THAT(why_not_request("GET\t/ HTTP/1.1"), HasSubstr("method"));
  EXPECT_THAT(why_not_request("\n"), HasSubstr("method"));
  EXPECT_EQ(why_not_request("GE"), "need more");
}

TEST(RequestDecoder, otherVersionsSaySo) {
  EXPECT_THAT(why_not_request("PRI * HTTP/2.0\r\n\r\n"), HasSubstr("HTTP/2.0"));
  EXPECT_THAT(why_not_request("GET /\r\n\r\n"), HasSubstr("no request line"));
  EXPECT_THAT(why_not_request("GET / http/1.1\r\n\r\n"), HasSubstr("no version"));
  EXPECT_THAT(why_not_request("GET / HTTP/1.1 \r\n\r\n"), HasSubstr("no version"));
}

TEST(RequestDecoder, ambiguousRequestLines) {
  EXPECT_THAT(why_not_request("GET /a b HTTP/1.1\r\n\r\n"), HasSubstr("request target"));
  EXPECT_THAT(why_not_request("GET  / HTTP/1.1\r\n\r\n"), HasSubstr("request target"));
  EXPECT_THAT(why_not_request("GET /a\rb HTTP/1.1\r\n\r\n"), HasSubstr("request target"));
  EXPECT_THAT(why_not_request("GET / HTTP/1.1\n\n"), HasSubstr("without CR"));
  EXPECT_EQ(why_not_request("GET /caf\xc3\xa9 HTTP/1.1\r\n\r\n"), "fine");
  EXPECT_EQ(why_not_request("OPTIONS * HTTP/1.1\r\n\r\n"), "fine");
}

TEST(RequestDecoder, limitsAtTheMaximumAndOneBeyond) {
  const Limits limits = {.head_bytes_max = 64, .method_bytes_max = 5};
  const std::string start = "GET / HTTP/1.1\r\nX: ";
  const std::string fits = start + std::string(64 - start.size() - 4, 'x') + "\r\n\r\n";
  const std::string beyond = start + std::string(65 - start.size() - 4, 'x') + "\r\n\r\n";
  EXPECT_EQ(why_not_request(fits, limits), "fine");
  EXPECT_THAT(why_not_request(beyond, limits), HasSubstr("more than 64 bytes"));
  EXPECT_EQ(why_not_request(start + std::string(63 - start.size(), 'x'), limits), "need more");
  EXPECT_THAT(why_not_request(start + std::string(64 - start.size(), 'x'), limits),
              HasSubstr("more than 64 bytes"));
  EXPECT_EQ(why_not_request("ABCDE / HTTP/1.1\r\n\r\n", limits), "fine");
  EXPECT_THAT(why_not_request("ABCDEF / HTTP/1.1\r\n\r\n", limits), HasSubstr("method"));
  EXPECT_EQ(why_not_request("ABCDE", limits), "need more");
  EXPECT_THAT(why_not_request("ABCDEF", limits), HasSubstr("method"));
}

TEST(RequestDecoder, theLifeOfTheConnection) {
  const auto closes = [](std::string_view bytes) {
    RequestDecoder decoder({});
    const auto next = decoder.next(bytes);
    return std::get<RequestHead>(next).closes();
  };
  EXPECT_FALSE(closes("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(closes("GET / HTTP/1.1\r\nConnection: foo, Close\r\n\r\n"));
  EXPECT_TRUE(closes("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(closes("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(ResponseDecoder, readsAHead) {
  ResponseDecoder decoder({});
  const std::string wire =
      "HTTP/1.1 404 Not Found at all\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
  const auto next = decoder.next(wire);
  const auto& head = std::get<ResponseHead>(next);
  EXPECT_EQ(head.status, 404U);
  EXPECT_EQ(head.body(false).kind, BodyFraming::Kind::kChunked);
  EXPECT_EQ(head.body(true).kind, BodyFraming::Kind::kNone);
}

TEST(ResponseDecoder, statusLinesThatAreNone) {
  EXPECT_EQ(why_not_response("HTTP/1.1 200\r\n\r\n"), "fine");
  EXPECT_EQ(why_not_response("HTTP/1.1 200 \r\n\r\n"), "fine");
  EXPECT_EQ(why_not_response("HTT"), "need more");
  for (const std::string bytes :
       {"HTTP/1.1 20\r\n\r\n", "HTTP/1.1 2000 x\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 099 x\r\n\r\n", "HTTP/2 200\r\n\r\n", "ICY 200 OK\r\n\r\n", "x"}) {
    EXPECT_THAT(why_not_response(bytes), HasSubstr("status line")) << bytes;
  }
}

}  // namespace
}  // namespace misrule::codecs::http
