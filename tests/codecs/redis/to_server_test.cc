#include "codecs/redis/to_server.h"

#include <gtest/gtest.h>

#include "tests/codecs/redis/rig.h"

namespace misrule::codecs::redis {
namespace {

const std::string kPoison = command("MISRULE.INJECTED");

TEST(RedisRequests, AreDecidedWithTheirKeys) {
  std::string seen;
  Rig rig([&](const Facts& facts) {
    for (const auto key : facts.keys) seen += std::string(key) + ",";
    seen += std::to_string(facts.arguments) + std::string(facts.state) + ";";
    return Verb{};
  });
  const std::string bytes =
      command("mset a 1 b 2") + command("multi") + command("get a") + command("auth x");
  EXPECT_EQ(rig.client(bytes), bytes);
  EXPECT_EQ(seen, "a,b,4idle;0idle;a,1transaction;1transaction;");
  EXPECT_EQ(rig.host.log[0], "decide 1 MSET a");
  // A password is told to nobody.
  EXPECT_EQ(rig.host.log[3], "decide 4 AUTH ");
}

TEST(RedisRequests, AnErrorMeansThatTheServerGetsWhatItMustRefuse) {
  Rig rig(on("SET", error_verb("OOM")));
  EXPECT_EQ(rig.client(command("GET a") + command("SET a 1") + command("GET a")),
            command("GET a") + kPoison + command("GET a"));
}

TEST(RedisRequests, ALongCommandIsThrownAwayWhole) {
  Rig rig(on("SET", error_verb("OOM")), {.command_bytes_max = 64});
  EXPECT_EQ(rig.client(command("SET a " + std::string(500, 'x')) + command("GET a")),
            kPoison + command("GET a"));
  Rig untouched({}, {.command_bytes_max = 64});
  const std::string bytes = command("SET a " + std::string(500, 'x')) + command("GET a");
  EXPECT_EQ(untouched.client(bytes), bytes);
  EXPECT_EQ(untouched.host.decided, 2U);
}

TEST(RedisRequests, InATransactionWhatIsToldLateFailsLate) {
  Rig rig(on("SET", error_verb("WRONGTYPE")));
  EXPECT_EQ(rig.client(command("SET a 1")), kPoison);
  EXPECT_EQ(rig.client(command("MULTI") + command("SET a 1")),
            command("MULTI") + command("SCAN misrule.injected"));
}

TEST(RedisRequests, InExecsPlaceGoesADiscard) {
  Rig rig(on("EXEC", error_verb("OOM")));
  EXPECT_EQ(rig.client(command("EXEC")), kPoison);
  EXPECT_EQ(rig.client(command("MULTI") + command("GET a") + command("EXEC")),
            command("MULTI") + command("GET a") + command("DISCARD"));
}

TEST(RedisRequests, HeldOnesGoOnWhenTheirTimeIsOver) {
  Rig rig(on("SET", hold_verb()));
  EXPECT_EQ(rig.client(command("GET a") + command("SET a 1") + command("GET b")), command("GET a"));
  EXPECT_TRUE(rig.pump.held(Direction::kToServer).has_value());
  EXPECT_EQ(rig.server("$-1\r\n"), "$-1\r\n");
  rig.pump.release(Direction::kToServer, Released::kRuleEnded);
  EXPECT_EQ(rig.pump.to_server(), command("GET a") + command("SET a 1") + command("GET b"));
  EXPECT_EQ(rig.host.log[3], "hold_ended 2 rule_ended");
}

TEST(RedisRequests, AHeldOneThatNeverGoesIsTold) {
  Rig rig(on("SET", hold_verb()));
  rig.client(command("SET a 1"));
  rig.pump.end(Direction::kToServer);
  EXPECT_EQ(rig.last(), "exchanged 1 connection closed unknown failed");
}

TEST(RedisRequests, ADropEndsTheConnectionInTheAnswersPlace) {
  Rig rig(on("SET", close_verb()));
  rig.client(command("SET a 1"));
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_FALSE(rig.pump.reset());
  EXPECT_EQ(rig.pump.to_server(), "");
  EXPECT_EQ(rig.last(), "exchanged 1 connection closed did_not failed");

  Rig behind(on("SET", close_verb(true)));
  EXPECT_EQ(behind.client(command("GET a") + command("SET a 1") + command("GET b")),
            command("GET a"));
  EXPECT_FALSE(behind.pump.closed());
  EXPECT_EQ(behind.server("$1\r\nx\r\n+never"), "$1\r\nx\r\n");
  EXPECT_TRUE(behind.pump.closed());
  EXPECT_TRUE(behind.pump.reset());
}

TEST(RedisRequests, WithoutAnAnswerAreToldAtOnce) {
  Rig rig(on("SET", error_verb("OOM")));
  rig.client(command("CLIENT REPLY SKIP") + command("SET a 1") + command("GET a"));
  EXPECT_EQ(rig.host.log[1], "exchanged 1 no answer wanted unknown");
  EXPECT_EQ(rig.host.log[3],
            "exchanged 2 OOM command not allowed when used memory > 'maxmemory'. did_not failed");
  EXPECT_EQ(rig.server("$1\r\nx\r\n"), "$1\r\nx\r\n");
  EXPECT_EQ(rig.last(), "exchanged 3 1 bytes did");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(RedisRequests, WhatCannotBeReadFlowsOn) {
  Rig rig;
  const std::string bytes = command("GET a") + "*1\r\n+PING\r\n" + command("GET b");
  EXPECT_EQ(rig.client(bytes), bytes);
  EXPECT_EQ(rig.host.opaque, "from the client: byte 0x2b where '$' is due");
  // What was asked before is still understood.
  rig.server("$-1\r\n");
  EXPECT_EQ(rig.last(), "exchanged 1 nil did");
  EXPECT_EQ(rig.server("-ERR Protocol error\r\nwhatever"), "-ERR Protocol error\r\nwhatever");
}

TEST(RedisRequests, TooManyUnansweredFlowOnUndecoded) {
  Rig rig({}, {.owed_max = 2});
  const std::string bytes = command("HELLO") + command("HELLO") + command("HELLO");
  EXPECT_EQ(rig.client(bytes), bytes);
  EXPECT_EQ(rig.host.opaque, "more than 2 commands unanswered");
}

}  // namespace
}  // namespace misrule::codecs::redis
