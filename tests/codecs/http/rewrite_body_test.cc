#include <gtest/gtest.h>

#include "codecs/http/body_change.h"
#include "tests/codecs/http/http_rig.h"

namespace misrule::codecs::http {
namespace {

Verb edit(bool decode = false) {
  ReplyPlan plan = {.decode = decode};
  plan.edits = {{"$.a", Value{std::int64_t{7}}}};
  return plan_verb(Verb::Kind::kRewrite, std::move(plan));
}

std::string told(std::string_view sent, const Verb& verb, bool ends = false) {
  const Recording dialogue = {{Direction::kToServer, get("/x")},
                              {Direction::kToClient, std::string(sent)}};
  Rig rig(on_path("/x", verb));
  rig.client(get("/x"));
  std::string text = rig.server(sent);
  if (ends) {
    rig.pump.end(Direction::kToClient);
    return text + rig.to_client();
  }
  expect_outcome(dialogue, {.to_server = get("/x"), .to_client = text},
                 [&](RecordingHost& host) { host.decide_as = on_path("/x", verb); });
  return text;
}

TEST(RewriteBody, aLengthIsComputedAnew) {
  EXPECT_EQ(
      told("HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 11\r\nB: c\r\n\r\n{\"a\": 1000}", edit()),
      "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nB: c\r\n\r\n{\"a\": 7}");
}

TEST(RewriteBody, chunksStayChunksWithTheirTrailers) {
  EXPECT_EQ(
      told("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\n{\"a\r\n5\r\n\": 1}\r\n"
           "0\r\nSum: 1\r\n\r\n",
           edit()),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"a\": 7}\r\n0\r\nSum: "
      "1\r\n\r\n");
}

TEST(RewriteBody, aBodyMayEndWithTheConnection) {
  EXPECT_EQ(told("HTTP/1.0 200 OK\r\n\r\n{\"a\": 1}", edit(), true),
            "HTTP/1.0 200 OK\r\n\r\n{\"a\": 7}");
}

TEST(RewriteBody, whatCannotBeChangedPassesAsItCame) {
  const std::string_view sent[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 206 P\r\nContent-Length: 8\r\n\r\n{\"a\": 1}",
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx",
      "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nxx"};
  for (const std::string_view one : sent) {
    for (const bool decode : {false, true}) EXPECT_EQ(told(one, edit(decode)), one);
  }
  EXPECT_EQ(told("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\": 1}", edit(), true),
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\": 1}");
}

TEST(RewriteBody, aLongBodyStreams) {
  const std::string body(2 * kMiB, ' ');
  Rig rig(on_path("/x", edit()));
  rig.client(get("/x"));
  const std::string chunk =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + body;
  EXPECT_EQ(rig.server(chunk), chunk);
  EXPECT_EQ(rig.host.log.back(), "skipped 1 the body has more than 1048576 bytes");
}

}  // namespace
}  // namespace misrule::codecs::http
