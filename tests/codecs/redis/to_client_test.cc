#include "codecs/redis/to_client.h"

#include <gtest/gtest.h>

#include "tests/codecs/redis/rig.h"

namespace misrule::codecs::redis {
namespace {

const std::string kOom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const std::string kRefused =
    "-ERR unknown command 'MISRULE.INJECTED', with args beginning with: \r\n";

TEST(RedisReplies, AnInjectedErrorStandsWhereTheServersStood) {
  Rig rig(on("SET", error_verb("OOM")));
  rig.client(command("GET a") + command("SET a 1") + command("GET b"));
  EXPECT_EQ(rig.server("$1\r\nx\r\n" + kRefused + "$1\r\ny\r\n"),
            "$1\r\nx\r\n" + kOom + "$1\r\ny\r\n");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(RedisReplies, PushesStayWhereTheyAreAndAnswerNobody) {
  Rig rig(on("SET", error_verb("OOM")));
  rig.client(command("HELLO 3") + command("SET a 1") + command("GET a"));
  const std::string push = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n";
  EXPECT_EQ(rig.server("%0\r\n" + push + kRefused + push + "_\r\n"),
            "%0\r\n" + push + kOom + push + "_\r\n");
  EXPECT_EQ(rig.last(), "exchanged 3 nil did");
}

TEST(RedisReplies, HeldOnesHoldWhatComesBehindThem) {
  Rig rig(on("SET", hold_verb(true)));
  rig.client(command("GET a") + command("SET a 1") + command("GET b"));
  EXPECT_EQ(rig.server("+a\r\n+OK\r\n+b\r\n"), "+a\r\n");
  rig.pump.release(Direction::kToClient);
  EXPECT_EQ(rig.to_client(), "+OK\r\n+b\r\n");
}

TEST(RedisReplies, LargeOnesStreamAndAreToldAtTheirEnd) {
  Rig rig({}, {.reply_bytes_max = 32});
  rig.client(command("GET a") + command("LRANGE l"));
  const std::string value = bulk(std::string(100, 'x'));
  EXPECT_EQ(rig.server(value.substr(0, 50)), value.substr(0, 50));
  EXPECT_EQ(rig.host.exchanges.size(), 0U);
  EXPECT_EQ(rig.server(value.substr(50)), value.substr(50));
  EXPECT_EQ(rig.last(), "exchanged 1 100 bytes did");
  rig.server("*2\r\n" + value + value);
  EXPECT_EQ(rig.last(), "exchanged 2 2 items did");
}

TEST(RedisReplies, EachChannelIsConfirmedOnce) {
  Rig rig;
  rig.client(command("SUBSCRIBE a b") + command("PING") + command("UNSUBSCRIBE") +
             command("GET k"));
  const std::string message = "*3\r\n" + bulk("message") + bulk("a") + bulk("hello");
  rig.server(confirmation("subscribe", "a", 1) + message);
  EXPECT_EQ(rig.host.exchanges.size(), 0U);
  rig.server(confirmation("subscribe", "b", 2));
  EXPECT_EQ(rig.host.exchanges.size(), 1U);
  rig.server(message + "*2\r\n" + bulk("pong") + bulk(""));
  EXPECT_EQ(rig.host.exchanges.size(), 2U);
  rig.server(confirmation("unsubscribe", "a", 1) + message);
  EXPECT_EQ(rig.host.exchanges.size(), 2U);
  rig.server(confirmation("unsubscribe", "b", 0));
  EXPECT_EQ(rig.host.exchanges.size(), 3U);
  // Nobody is subscribed: a list that looks like a message is one.
  rig.server(message);
  EXPECT_EQ(rig.last(), "exchanged 4 3 items did");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(RedisReplies, InVersion3SubscriptionsAreConfirmedByPushes) {
  Rig rig(on("GET", error_verb("LOADING")));
  rig.client(command("HELLO 3") + command("SUBSCRIBE a") + command("GET k"));
  const std::string message = ">3\r\n" + bulk("message") + bulk("a") + bulk("x");
  EXPECT_EQ(rig.server("%0\r\n" + confirmation("subscribe", "a", 1, '>') + message + kRefused),
            "%0\r\n" + confirmation("subscribe", "a", 1, '>') + message +
                "-LOADING Redis is loading the dataset in memory\r\n");
}

TEST(RedisReplies, ATransactionsCommandsAreAnsweredByExec) {
  Rig rig;
  rig.client(command("MULTI") + command("SET a 1") + command("LPUSH a 1") + command("EXEC"));
  rig.server("+OK\r\n+QUEUED\r\n+QUEUED\r\n");
  EXPECT_EQ(rig.host.exchanges.size(), 1U);
  rig.server("*2\r\n+OK\r\n");
  EXPECT_EQ(rig.last(), "exchanged 2 OK did");
  rig.server("-WRONGTYPE no\r\n");
  EXPECT_EQ(rig.host.log[rig.host.log.size() - 2], "exchanged 3 WRONGTYPE no did_not failed");
  EXPECT_EQ(rig.last(), "exchanged 4 2 items did");
}

TEST(RedisReplies, ARejectedCommandTakesItsTransactionWithIt) {
  Rig rig(on("SET", error_verb("OOM")));
  rig.client(command("MULTI") + command("GET a") + command("SET a 1") + command("EXEC"));
  const std::string aborted = "-EXECABORT Transaction discarded because of previous errors.\r\n";
  EXPECT_EQ(rig.server("+OK\r\n+QUEUED\r\n" + kRefused + aborted),
            "+OK\r\n+QUEUED\r\n" + kOom + aborted);
  EXPECT_EQ(rig.host.exchanges[2].reply, "discarded with its transaction");
  EXPECT_TRUE(rig.host.exchanges[3].failed);
}

TEST(RedisReplies, AnErrorThatIsToldLateIsAnItemOfExecsAnswer) {
  Rig rig(on("LPUSH", error_verb("WRONGTYPE")));
  rig.client(command("MULTI") + command("LPUSH a 1") + command("SET b 1") + command("EXEC"));
  EXPECT_EQ(rig.server("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n-ERR invalid cursor\r\n+OK\r\n"),
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n"
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n+OK\r\n");
}

TEST(RedisReplies, InExecsPlaceTheTransactionIsAborted) {
  Rig rig(on("EXEC", error_verb("LOADING")));
  rig.client(command("MULTI") + command("GET a") + command("EXEC") + command("GET b"));
  EXPECT_EQ(
      rig.server("+OK\r\n+QUEUED\r\n+OK\r\n$-1\r\n"),
      "+OK\r\n+QUEUED\r\n-EXECABORT Transaction discarded because of: LOADING Redis is loading the "
      "dataset in memory\r\n$-1\r\n");
}

TEST(RedisReplies, MonitorsLinesAnswerNobody) {
  Rig rig;
  rig.client(command("MONITOR") + command("PING"));
  rig.server("+OK\r\n+1700000000.123456 [0 127.0.0.1:1] \"GET\"\r\n");
  EXPECT_EQ(rig.host.exchanges.size(), 1U);
  rig.server("+PONG\r\n");
  EXPECT_EQ(rig.last(), "exchanged 2 PONG did");
}

TEST(RedisReplies, AReplicasStreamIsNoConversation) {
  Rig rig;
  rig.client(command("PSYNC ? -1"));
  const std::string stream = std::string("+FULLRESYNC x 0\r\n\n$4\r\nREDIS") + std::string(3, '\0');
  EXPECT_EQ(rig.server(stream), stream);
  EXPECT_FALSE(rig.host.opaque.has_value());
  EXPECT_EQ(rig.client("\x00 anything"), "\x00 anything");
}

TEST(RedisReplies, WhatNobodyAskedForMakesTheConnectionOpaque) {
  Rig rig;
  EXPECT_EQ(rig.server("-ERR max number of clients reached\r\n"),
            "-ERR max number of clients reached\r\n");
  EXPECT_FALSE(rig.host.opaque.has_value());
  EXPECT_EQ(rig.server("+OK\r\nrest"), "+OK\r\nrest");
  EXPECT_EQ(rig.host.opaque, "from the server: nothing was asked");
}

TEST(RedisReplies, WhenTrackIsLostAPromisedErrorEndsTheConnection) {
  Rig rig(on("SET", error_verb("OOM")));
  rig.client(command("GET a") + command("SET a 1"));
  EXPECT_EQ(rig.server("HTTP/1.1"), "");
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_TRUE(rig.host.opaque.has_value());
}

TEST(RedisReplies, AMaskedSuccessIsToldAsAFailure) {
  Verb masked = error_verb("LOADING");
  masked.kind = Verb::Kind::kMask;
  const std::string loading = "-LOADING Redis is loading the dataset in memory\r\n";
  Rig rig(on("SET", masked), {.reply_bytes_max = 32});
  EXPECT_EQ(rig.client(command("SET a 1") + command("GET a")),
            command("SET a 1") + command("GET a"));
  EXPECT_EQ(rig.server("+OK\r\n$1\r\n1\r\n"), loading + "$1\r\n1\r\n");
  EXPECT_EQ(rig.host.exchanges[0].server, ServerOutcome::kDid);
  rig.client(command("SET a 1 GET") + command("GET a"));
  const std::string value = bulk(std::string(100, 'x'));
  EXPECT_EQ(rig.server(value.substr(0, 50)) + rig.server(value.substr(50) + "$-1\r\n"),
            loading + "$-1\r\n");
  rig.client(command("MULTI") + command("SET a 1") + command("GET a") + command("EXEC"));
  EXPECT_EQ(rig.server("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n"),
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n" + loading + ":1\r\n");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(RedisReplies, AMaskedExecHasDoneItsCommands) {
  Verb masked = error_verb("LOADING");
  masked.kind = Verb::Kind::kMask;
  Rig rig(on("EXEC", masked));
  rig.client(command("MULTI") + command("SET a 1") + command("EXEC") + command("GET a"));
  EXPECT_EQ(rig.server("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n$1\r\n1\r\n"),
            "+OK\r\n+QUEUED\r\n-LOADING Redis is loading the dataset in memory\r\n$1\r\n1\r\n");
  EXPECT_EQ(rig.host.exchanges[1].server, ServerOutcome::kDid);
  EXPECT_EQ(rig.host.exchanges[2].server, ServerOutcome::kDid);
}

TEST(RedisReplies, ALostAnswerEndsTheConnectionInItsPlace) {
  for (const bool in_transaction : {false, true}) {
    Rig rig(on("SET", {.kind = Verb::Kind::kLose, .tag = 7}));
    if (in_transaction) {
      rig.client(command("MULTI") + command("SET a 1") + command("EXEC"));
      EXPECT_EQ(rig.server("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n"), "+OK\r\n+QUEUED\r\n");
    } else {
      rig.client(command("GET a") + command("SET a 1"));
      EXPECT_EQ(rig.server("$-1\r\n+OK\r\n"), "$-1\r\n");
    }
    EXPECT_TRUE(rig.pump.closed());
    EXPECT_EQ(rig.host.exchanges[1].server, ServerOutcome::kDid);
  }
}

TEST(RedisReplies, ALostRefusalHasDoneNothing) {
  Rig single(on("SET", {.kind = Verb::Kind::kLose, .tag = 7}));
  single.client(command("SET a 1"));
  single.server("-WRONGTYPE no\r\n");
  EXPECT_EQ(single.host.exchanges[0].server, ServerOutcome::kDidNot);
  Rig rig(on("EXEC", {.kind = Verb::Kind::kLose, .tag = 7}));
  rig.client(command("MULTI") + command("SET a 1") + command("EXEC"));
  rig.server("+OK\r\n+QUEUED\r\n-EXECABORT no\r\n");
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_EQ(rig.host.exchanges[1].server, ServerOutcome::kDidNot);
  EXPECT_EQ(rig.host.exchanges[2].server, ServerOutcome::kDidNot);
}

TEST(RedisReplies, ASnapshotIsNoConversation) {
  Rig rig;
  rig.client(command("SYNC"));
  EXPECT_EQ(rig.server("\n\n$100\r\nREDIS"), "\n\n$100\r\nREDIS");
  EXPECT_EQ(rig.last(), "exchanged 1 a snapshot did");
}

TEST(RedisReplies, WhatIsCutOffIsTheServersLastWord) {
  Rig rig;
  rig.client(command("GET a"));
  EXPECT_EQ(rig.server("$5\r\nab"), "");
  rig.pump.end(Direction::kToClient);
  EXPECT_EQ(rig.to_client(), "$5\r\nab");
  EXPECT_EQ(rig.last(), "exchanged 1 connection closed unknown failed");
}

}  // namespace
}  // namespace misrule::codecs::redis
