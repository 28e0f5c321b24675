#include "codecs/postgres/to_client.h"

#include <gtest/gtest.h>

#include "tests/codecs/postgres/rig.h"

namespace misrule::codecs::postgres {
namespace {

using Kind = Owed::Kind;

class ToClientTest : public ::testing::Test {
 protected:
  ToClientTest() { session_.phase = Session::Phase::kMessages; }

  RecordingHost host_;
  Session session_{host_, {}};
  ToClient to_client_{session_};
};

struct Answered {
  Kind kind;
  std::string answer;
};

TEST_F(ToClientTest, EachRequestIsSettledByItsAnswer) {
  const std::string no_columns = wire::message('n');
  for (const auto& [kind, answer] : std::initializer_list<Answered>{
           {Kind::kStartup, wire::message('R') + wire::ready()},
           {Kind::kQuery,
            wire::columns("a") + wire::row("1") + wire::complete("SELECT 1") + wire::ready()},
           {Kind::kQuery, wire::message('I') + wire::ready()},
           {Kind::kQuery, wire::message('H') + wire::message('d') + wire::message('c') +
                              wire::complete("COPY 1") + wire::ready()},
           {Kind::kQuery, wire::error("42601", "no") + wire::ready()},
           {Kind::kParse, wire::message('1')},
           {Kind::kBind, wire::message('2')},
           {Kind::kDescribeStatement, wire::message('t') + wire::columns("a")},
           {Kind::kDescribeStatement, wire::message('t') + no_columns},
           {Kind::kDescribePortal, no_columns},
           {Kind::kExecute, wire::row("1") + wire::complete("SELECT 1")},
           {Kind::kExecute, wire::row("1") + wire::message('s')},
           {Kind::kExecute, wire::message('I')},
           {Kind::kExecute, wire::error("22012", "zero")},
           {Kind::kCloseStatement, wire::message('3')},
           {Kind::kClosePortal, wire::message('3')},
           {Kind::kFunctionCall, wire::message('V') + wire::ready()},
           {Kind::kFunctionCall, wire::error("42883", "no") + wire::ready()},
           {Kind::kSync, wire::error("23503", "deferred") + wire::ready()}}) {
    session_.ledger.push({.kind = kind});
    EXPECT_EQ(to_client_.walk(answer).pass, answer.size());
    EXPECT_TRUE(session_.ledger.empty()) << static_cast<int>(kind);
    session_.ledger.push({.kind = Kind::kSync});  // Ends skipping.
    to_client_.walk(wire::ready());
  }
  EXPECT_FALSE(host_.opaque.has_value());
}

TEST_F(ToClientTest, AnswerThatIsNotDueIsNoAnswer) {
  for (const auto& [kind, answer] :
       std::initializer_list<Answered>{{Kind::kParse, wire::message('2')},
                                       {Kind::kBind, wire::message('1')},
                                       {Kind::kExecute, wire::ready()},
                                       {Kind::kExecute, wire::columns("a")},
                                       {Kind::kSync, wire::complete("SELECT 1")},
                                       {Kind::kStartup, wire::row("1")}}) {
    RecordingHost host;
    Session session(host, {});
    session.phase = Session::Phase::kMessages;
    ToClient to_client(session);
    session.ledger.push({.kind = kind});
    EXPECT_EQ(to_client.walk(answer).pass, answer.size()) << "it flows all the same";
    EXPECT_TRUE(host.opaque.has_value()) << answer.front();
  }
}

TEST_F(ToClientTest, BorderIsKnown) {
  session_.ledger.push({.kind = Kind::kQuery});
  const std::string row = wire::row("a long value");
  to_client_.walk(ByteView(row).substr(0, 4));
  EXPECT_TRUE(session_.answers_at_once) << "nothing has flowed";
  to_client_.walk(ByteView(row).substr(0, 8));
  EXPECT_FALSE(session_.answers_at_once);
  to_client_.walk(ByteView(row).substr(8));
  EXPECT_TRUE(session_.answers_at_once);
}

TEST_F(ToClientTest, LongErrorIsReplacedWhole) {
  Owed owed{.kind = Kind::kExecute};
  owed.units.push_back({.id = 1, .fate = Unit::Fate::kPoison});
  owed.units[0].error = std::make_unique<ErrorText>(
      ErrorText{.code = "40001", .message = "fault", .severity = "ERROR"});
  host_.decide({.unit = 1});
  session_.ledger.push(std::move(owed));
  const std::string error = wire::error("42703", std::string(100'000, 'x'));
  Step step = to_client_.walk(error);
  const auto first = std::get<Substitute>(step.act.value());
  EXPECT_EQ(wire::spoken(first.with, Sender::kServer), "E(ERROR 40001 fault)");
  ASSERT_LT(first.bytes, error.size());
  step = to_client_.walk(ByteView(error).substr(first.bytes));
  EXPECT_EQ(std::get<Substitute>(step.act.value()).bytes, error.size() - first.bytes);
}

TEST_F(ToClientTest, SettingsThatChangeTheScannerAreNoted) {
  const auto setting = [](std::string_view value) {
    return wire::message(
        'S', std::string("standard_conforming_strings\0", 28) + std::string(value) + '\0');
  };
  to_client_.walk(setting("off"));
  EXPECT_EQ(session_.backslash, Backslash::kEscapes);
  to_client_.walk(setting("on"));
  EXPECT_EQ(session_.backslash, Backslash::kOrdinary);
}

}  // namespace
}  // namespace misrule::codecs::postgres
