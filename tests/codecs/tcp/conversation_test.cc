// A connection as one unit: decided before a byte flows, told once when it is over.

#include "codecs/tcp/conversation.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace misrule::codecs::tcp {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

class ScriptedHost final : public ConversationHost {
 public:
  Verb verb = {};
  std::vector<std::string> said = {};

  Verb decide(const Facts& facts) override {
    said.push_back(fmt::format("{} {} {}", facts.unit, facts.protocol, facts.operation));
    return verb;
  }
  void exchanged(const Exchange& exchange) override {
    said.push_back(exchange.reply + (exchange.server == ServerOutcome::kDid ? "/did" : "/did not"));
  }
  void hold_ended(std::uint64_t, Released) override { said.emplace_back("hold ended"); }
  void went_opaque(std::string_view) override { said.emplace_back("opaque"); }
  void cancellable_by(std::string_view) override {}
  bool cancel_held(std::string_view) override { return false; }
};

class TcpConversationTest : public ::testing::Test {
 protected:
  ScriptedHost host_;
  std::unique_ptr<Conversation> conversation_ = make_conversation(host_);

  Step to_server(ByteView unread) { return conversation_->walk(Direction::kToServer, unread); }
  Step to_client(ByteView unread) { return conversation_->walk(Direction::kToClient, unread); }
  void end_both() {
    conversation_->ended(Direction::kToServer);
    conversation_->ended(Direction::kToClient);
  }
};

TEST_F(TcpConversationTest, BytesPassAndTheUnitIsToldAtTheEnd) {
  EXPECT_FALSE(to_server({}).act.has_value());
  EXPECT_THAT(host_.said, ElementsAre("1 tcp connection"));
  EXPECT_EQ(to_server("hello").pass, 5U);
  EXPECT_EQ(to_client("bye").pass, 3U);
  end_both();
  EXPECT_THAT(host_.said, ElementsAre("1 tcp connection", "connection closed/did"));
}

TEST_F(TcpConversationTest, ADelayHoldsWhatGoesToTheServerOnly) {
  host_.verb.hold = seconds(3);
  const Step step = to_server({});
  ASSERT_TRUE(step.act && std::holds_alternative<Hold>(*step.act));
  EXPECT_EQ(std::get<Hold>(*step.act).for_at_most, seconds(3));
  EXPECT_EQ(conversation_->held_unit(), 1U);
  EXPECT_EQ(to_client("greeting").pass, 8U);
  conversation_->released(Direction::kToServer, Released::kDue);
  EXPECT_EQ(conversation_->held_unit(), std::nullopt);
  EXPECT_EQ(to_server("hello").pass, 5U);
}

TEST_F(TcpConversationTest, ADelayOfTheReplyHoldsWhatComesBack) {
  host_.verb.hold = seconds(3);
  host_.verb.hold_reply = true;
  EXPECT_EQ(to_server("hello").pass, 5U);
  EXPECT_TRUE(to_client("answer").act.has_value());
  conversation_->released(Direction::kToClient, Released::kDue);
  EXPECT_EQ(to_client("answer").pass, 6U);
}

TEST_F(TcpConversationTest, ADropClosesBeforeAByteFlows) {
  host_.verb.kind = Verb::Kind::kClose;
  const Step step = to_server("hello");
  EXPECT_EQ(step.pass, 0U);
  ASSERT_TRUE(step.act && std::holds_alternative<Close>(*step.act));
  EXPECT_FALSE(std::get<Close>(*step.act).reset);
  end_both();
  EXPECT_THAT(host_.said, ElementsAre("1 tcp connection", "connection closed/did not"));
}

TEST_F(TcpConversationTest, AResetIsAReset) {
  host_.verb.kind = Verb::Kind::kReset;
  const Step step = to_server({});
  ASSERT_TRUE(step.act && std::holds_alternative<Close>(*step.act));
  EXPECT_TRUE(std::get<Close>(*step.act).reset);
}

TEST_F(TcpConversationTest, ADelayedDropDropsWhenTheTimeHasCome) {
  host_.verb.hold = seconds(1);
  host_.verb.kind = Verb::Kind::kClose;
  EXPECT_TRUE(std::holds_alternative<Hold>(*to_server({}).act));
  conversation_->released(Direction::kToServer, Released::kDue);
  EXPECT_TRUE(std::holds_alternative<Close>(*to_server({}).act));
}

TEST_F(TcpConversationTest, WhenTheRuleIsGoneTheConnectionFlows) {
  host_.verb.hold = seconds(1);
  host_.verb.kind = Verb::Kind::kClose;
  to_server({});
  conversation_->released(Direction::kToServer, Released::kRuleEnded);
  EXPECT_EQ(to_server("hello").pass, 5U);
  EXPECT_THAT(host_.said, ElementsAre("1 tcp connection", "hold ended"));
}

TEST_F(TcpConversationTest, AConnectionThatEndsWhileItIsHeldNeverReachedTheServer) {
  host_.verb.hold = seconds(1);
  to_server({});
  end_both();
  EXPECT_THAT(host_.said, ElementsAre("1 tcp connection", "connection closed/did not"));
}

}  // namespace
}  // namespace misrule::codecs::tcp
