// Replies that do not reach the client although the server served the request.

#include <gmock/gmock.h>

#include "tests/codecs/http/http_rig.h"

namespace misrule::codecs::http {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

Verb mask(unsigned status, std::string_view body = {}) {
  Verb verb = replace_with(status, body);
  verb.kind = Verb::Kind::kMask;
  return verb;
}

Verb lose() {
  Verb verb = close_verb();
  verb.kind = Verb::Kind::kLose;
  return verb;
}

TEST(Mask, TellsAnErrorInPlaceOfTheReply) {
  Rig rig(on_path("/x", mask(503)));
  EXPECT_EQ(rig.client(get("/x")), get("/x"));
  EXPECT_EQ(rig.server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), "");
  EXPECT_EQ(rig.server("cde"), injected_503());
  EXPECT_THAT(rig.host.log, Contains(HasSubstr("exchanged 1 503 in place of 200")));
  EXPECT_EQ(rig.host.exchanges.at(0).server, ServerOutcome::kDid);
  rig.client(get("/y"));
  EXPECT_EQ(rig.server(kOk), kOk);
}

TEST(Mask, AReplyWithoutABodyAndAnInterimOne) {
  Rig rig(on_path("/x", mask(503)));
  rig.client(post("/x", "body", "Expect: 100-continue\r\n"));
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(rig.server(interim), interim) << "only the final reply is masked";
  EXPECT_EQ(rig.server("HTTP/1.1 204 No Content\r\n\r\n"), injected_503());
}

TEST(Mask, AReplyThatLastsUntilTheConnectionEnds) {
  Rig rig(on_path("/x", mask(503)));
  rig.client(get("/x"));
  EXPECT_EQ(rig.server("HTTP/1.1 200 OK\r\n\r\nsome"), "");
  EXPECT_EQ(rig.server("thing"), "");
  rig.pump.end(Direction::kToClient);
  EXPECT_EQ(rig.to_client(), injected_503());
}

TEST(Mask, InAPipelineTheOthersAreAsTheyWere) {
  Rig rig(on_path("/2", mask(503)));
  rig.client(get("/1") + get("/2") + get("/3"));
  EXPECT_EQ(rig.server(reply_with("1") + reply_with("2") + reply_with("3")),
            reply_with("1") + injected_503() + reply_with("3"));
}

TEST(Lose, TheConnectionEndsInPlaceOfTheReply) {
  Rig rig(on_path("/x", lose()));
  EXPECT_EQ(rig.client(get("/x")), get("/x"));
  EXPECT_EQ(rig.server("HTTP/1.1 100 Continue\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(rig.server(kOk), "");
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_THAT(rig.host.log, Contains(HasSubstr("connection closed in place of 200")));
}

TEST(Lose, AHeldReplyEndsTheConnectionWhenItsRuleDoes) {
  Verb verb = lose();
  verb.hold = std::chrono::hours(1);
  verb.hold_reply = true;
  verb.hold_is_loss = true;
  Rig rig(on_path("/x", verb));
  rig.client(get("/x"));
  EXPECT_EQ(rig.server(kOk), "");
  ASSERT_TRUE(rig.pump.held(Direction::kToClient));
  rig.pump.release(Direction::kToClient, Released::kRuleEnded);
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_EQ(rig.to_client(), "");
}

}  // namespace
}  // namespace misrule::codecs::http
