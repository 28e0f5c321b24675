// What becomes of answers and messages that a rule changes, makes up, doubles or damages.

#include <gtest/gtest.h>

#include "codecs/redis/to_client.h"
#include "tests/codecs/redis/rig.h"

namespace misrule::codecs::redis {
namespace {

const std::string kRefused =
    "-ERR unknown command 'MISRULE.INJECTED', with args beginning with: \r\n";
const std::string kNobody = "*1\r\n$16\r\nMISRULE.INJECTED\r\n";
const std::string kHello = "%0\r\n";
const std::string kQueued = "+QUEUED\r\n";

Verb planned(Verb::Kind kind, ReplyPlan plan = {}) {
  return {.kind = kind,
          .seed = 5,
          .plan = std::make_shared<const ReplyPlan>(std::move(plan)),
          .tag = 7};
}
Verb valued(Verb::Kind kind, Value value) {
  return planned(kind, {.value = std::move(value), .has_value = true});
}
Value text(const char* held) { return {std::string(held)}; }
const Verb kTwice = planned(Verb::Kind::kDuplicate);

std::string message(std::string_view of, std::string_view said, char type = '*') {
  return fmt::format("{}3\r\n{}{}{}", type, bulk("message"), bulk(of), bulk(said));
}

struct PushRig : Rig {
  PushRig(const std::string& channel, Verb verb, const Limits& limits = {})
      : Rig(
            [channel, verb](const Facts& facts) {
              return facts.phase == Phase::kPush && facts.subject == channel ? verb : Verb{};
            },
            limits) {
    host.wanted_phases = {Phase::kPush};
    client(command("SUBSCRIBE news other"));
    server(confirmation("subscribe", "news", 1) + confirmation("subscribe", "other", 2));
  }
};

TEST(RedisMadeUp, StandsWhereTheAnswerStood) {
  Rig rig(on("GET", valued(Verb::Kind::kRespond, text("fake"))));
  EXPECT_EQ(rig.client(command("SET a 1") + command("GET a") + command("INCR n")),
            command("SET a 1") + kNobody + command("INCR n"));
  EXPECT_EQ(rig.server("+OK\r\n" + kRefused + ":1\r\n"), "+OK\r\n$4\r\nfake\r\n:1\r\n");
  EXPECT_EQ(rig.host.log[4], "exchanged 2 4 bytes did_not");
}

TEST(RedisMadeUp, NilIsOfTheVersionThatIsSpokenThen) {
  Rig rig(on("GET", valued(Verb::Kind::kRespond, {})));
  rig.client(command("GET a") + command("HELLO 3") + command("GET a") + command("RESET") +
             command("GET a"));
  EXPECT_EQ(rig.server(kRefused + kHello + kRefused + "+RESET\r\n" + kRefused),
            "$-1\r\n" + kHello + "_\r\n+RESET\r\n$-1\r\n");
}

TEST(RedisMadeUp, InATransactionItIsAnItemOfExecsAnswer) {
  Rig rig(on("GET", valued(Verb::Kind::kRespond, text("fake"))));
  EXPECT_EQ(rig.client(command("MULTI") + command("GET a") + command("EXEC")),
            command("MULTI") + command("PING") + command("EXEC"));
  EXPECT_EQ(rig.server("+OK\r\n" + kQueued + "*1\r\n+PONG\r\n"),
            "+OK\r\n" + kQueued + "*1\r\n$4\r\nfake\r\n");
  rig.client(command("MULTI") + command("GET a") + command("EXEC"));
  EXPECT_EQ(rig.server("+OK\r\n-OOM x\r\n-EXECABORT y\r\n"), "+OK\r\n-OOM x\r\n-EXECABORT y\r\n");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(RedisMadeUp, NilInExecsPlaceIsAWatchThatFailed) {
  Rig rig(on("EXEC", valued(Verb::Kind::kRespond, {})));
  EXPECT_EQ(rig.client(command("MULTI") + command("SET a 1") + command("EXEC") + command("GET a")),
            command("MULTI") + command("SET a 1") + command("DISCARD") + command("GET a"));
  EXPECT_EQ(rig.server("+OK\r\n" + kQueued + "+OK\r\n$-1\r\n"),
            "+OK\r\n" + kQueued + "*-1\r\n$-1\r\n");
}

TEST(RedisMadeUp, NothingIsSaidWhereNoAnswerIsWanted) {
  Rig rig(on("GET", valued(Verb::Kind::kRespond, text("fake"))));
  rig.client(command("CLIENT REPLY SKIP") + command("GET a") + command("PING"));
  EXPECT_EQ(rig.server("+PONG\r\n"), "+PONG\r\n");
  EXPECT_EQ(rig.host.exchanges[1].reply, "no answer wanted");
}

TEST(RedisChanged, TheServerHasDoneIt) {
  Rig rig(on("INCR", valued(Verb::Kind::kRewrite, {std::int64_t{99}})), {.reply_bytes_max = 32});
  EXPECT_EQ(rig.client(command("INCR n") + command("GET n")), command("INCR n") + command("GET n"));
  EXPECT_EQ(rig.server(":1\r\n$1\r\n1\r\n"), ":99\r\n$1\r\n1\r\n");
  EXPECT_EQ(rig.host.exchanges[0].server, ServerOutcome::kDid);
  rig.client(command("MULTI") + command("INCR n") + command("EXEC"));
  EXPECT_EQ(rig.server("+OK\r\n" + kQueued + "*1\r\n:2\r\n"),
            "+OK\r\n" + kQueued + "*1\r\n:99\r\n");
  rig.client(command("INCR n") + command("GET n"));
  const std::string large = bulk(std::string(100, 'x'));
  EXPECT_EQ(rig.server(large.substr(0, 60)) + rig.server(large.substr(60) + "$-1\r\n"),
            ":99\r\n$-1\r\n");
}

TEST(RedisChanged, ARefusalStaysOne) {
  Rig rig(on("INCR", valued(Verb::Kind::kRewrite, {std::int64_t{99}})));
  rig.client(command("INCR n"));
  EXPECT_EQ(rig.server("-WRONGTYPE x\r\n"), "-WRONGTYPE x\r\n");
  EXPECT_EQ(rig.host.log[1], "skipped 1 the server refused the command");
  EXPECT_EQ(rig.last(), "exchanged 1 WRONGTYPE x did_not failed");
}

TEST(RedisChanged, PagesAreGatheredAndEdited) {
  const Value edit{ValueMap{{"keys", Value{ValueList{}}}}};
  Rig rig(on("SCAN", valued(Verb::Kind::kRewrite, edit)), {.reply_bytes_max = 16});
  rig.client(command("SCAN 0") + command("SCAN 17"));
  const std::string page = "*2\r\n$2\r\n17\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n";
  EXPECT_EQ(rig.server(page.substr(0, 20)), "");
  EXPECT_EQ(rig.server(page.substr(20) + page), "*2\r\n$2\r\n17\r\n*0\r\n*2\r\n$2\r\n17\r\n*0\r\n");
}

TEST(RedisTwice, TheServerIsAskedTwiceAndHeardOnce) {
  Rig rig(on("INCR", kTwice));
  EXPECT_EQ(rig.client(command("INCR n") + command("GET n")),
            command("INCR n") + command("INCR n") + command("GET n"));
  EXPECT_EQ(rig.server(":1\r\n:2\r\n$1\r\n2\r\n"), ":1\r\n$1\r\n2\r\n");
  EXPECT_EQ(rig.host.exchanges.size(), 2U);
}

TEST(RedisTwice, NotWhereAnswersWouldBeTooMany) {
  Rig rig(on("INCR", kTwice));
  const std::string sent = command("MULTI") + command("INCR n") + command("EXEC");
  EXPECT_EQ(rig.client(sent), sent);
  EXPECT_EQ(rig.server("+OK\r\n" + kQueued + "*1\r\n:1\r\n"), "+OK\r\n" + kQueued + "*1\r\n:1\r\n");
  EXPECT_TRUE(rig.host.log[2].starts_with("skipped 2 EXEC would"));
}

TEST(RedisTwice, WithoutAnswersNoneIsLeftOver) {
  Rig rig(on("INCR", kTwice));
  rig.client(command("CLIENT REPLY SKIP") + command("INCR n") + command("GET n"));
  EXPECT_EQ(rig.server(":2\r\n$1\r\n2\r\n"), "$1\r\n2\r\n");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(RedisDamaged, AnswersKeepTheirFrame) {
  Rig rig(on("GET", planned(Verb::Kind::kCorrupt)), {.reply_bytes_max = 16});
  rig.client(command("GET a") + command("GET b") + command("PING"));
  const std::string seen = rig.server("$5\r\nhello\r\n$-1\r\n+PONG\r\n");
  EXPECT_NE(seen, "$5\r\nhello\r\n$-1\r\n+PONG\r\n");
  EXPECT_TRUE(seen.starts_with("$5\r\n") && seen.ends_with("\r\n$-1\r\n+PONG\r\n")) << seen;
  EXPECT_EQ(seen.size(), 11U + 5 + 7);
  rig.client(command("GET a"));
  const std::string large = bulk(std::string(100, 'x'));
  const std::string changed = rig.server(large);
  EXPECT_NE(changed, large);
  EXPECT_EQ(changed.size(), large.size());
  EXPECT_EQ(rig.last(), "exchanged 4 100 bytes did");
}

TEST(RedisDamaged, FramesAreBroken) {
  Rig rig(on("GET", planned(Verb::Kind::kCorrupt, {.framing = true})));
  rig.client(command("GET a"));
  const std::string seen = rig.server("$5\r\nhello\r\n");
  EXPECT_TRUE(seen == "x5\r\nhello\r\n" || seen == "$x\r\nhello\r\n") << seen;
}

TEST(RedisDamaged, RequestsKeepTheirFrameOrLoseIt) {
  Rig rig(on("SET", planned(Verb::Kind::kCorrupt, {.of_request = true})));
  const std::string sent = rig.client(command("SET key value"));
  EXPECT_NE(sent, command("SET key value"));
  EXPECT_TRUE(sent.starts_with("*3\r\n$3\r\nSET\r\n$3\r\n")) << sent;
  Rig broken(on("SET", planned(Verb::Kind::kCorrupt, {.framing = true, .of_request = true})));
  EXPECT_EQ(broken.client(command("SET k v")), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\nx1\r\nv\r\n");
  broken.server("-ERR Protocol error: expected '$', got 'x'\r\n");
  EXPECT_TRUE(broken.host.exchanges[0].failed);
  Rig bare(on("PING", planned(Verb::Kind::kCorrupt, {.of_request = true})));
  EXPECT_EQ(bare.client(command("PING") + "PING\r\n"), command("PING") + "PING\r\n");
  EXPECT_TRUE(bare.host.log[1].starts_with("skipped 1"));
}

TEST(RedisCutOff, AnswersEndWithTheConnection) {
  Rig rig(on("GET", planned(Verb::Kind::kTruncate, {.bytes = 3})));
  rig.client(command("PING") + command("GET a") + command("PING"));
  EXPECT_EQ(rig.server("+PONG\r\n$5\r\nhello\r\n+PONG\r\n"), "+PONG\r\n$5\r\nhel");
  EXPECT_TRUE(rig.pump.closed());
  EXPECT_EQ(rig.host.exchanges[1].reply, "cut off");
  Rig longer(on("GET", planned(Verb::Kind::kTruncate, {.bytes = 6})));
  longer.client(command("GET a"));
  EXPECT_EQ(longer.server("$5\r\nhello\r\n"), "$5\r\nhello\r\n");
  EXPECT_FALSE(longer.pump.closed());
}

TEST(RedisCutOff, RequestsEndWithTheConnection) {
  const Verb cut = planned(Verb::Kind::kTruncate, {.bytes = 2, .of_request = true});
  for (const bool asked : {false, true}) {
    Rig rig(on("SET", cut));
    if (asked) rig.client(command("GET a"));
    EXPECT_EQ(rig.client(command("SET k value")), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nv");
    EXPECT_EQ(rig.pump.closed(), !asked);
    if (asked) rig.server("$-1\r\n");
    EXPECT_TRUE(rig.pump.closed());
    EXPECT_EQ(rig.host.exchanges.back().server, ServerOutcome::kDidNot);
  }
}

TEST(RedisPushes, AreLostDoubledAndChangedAlone) {
  const std::string other = message("other", "x");
  const std::string news = message("news", "hello");
  PushRig lost("news", {.kind = Verb::Kind::kSwallow, .tag = 7});
  EXPECT_EQ(lost.server(other + news + other), other + other);
  EXPECT_EQ(lost.last(), "exchanged 4 delivered did");
  PushRig twice("news", kTwice);
  EXPECT_EQ(twice.server(news + other), news + news + other);
  PushRig changed("news", valued(Verb::Kind::kRewrite, text("bye")));
  EXPECT_EQ(changed.server(news + other), message("news", "bye") + other);
  PushRig damaged("news", planned(Verb::Kind::kCorrupt));
  const std::string seen = damaged.server(news);
  EXPECT_NE(seen, news);
  EXPECT_TRUE(seen.starts_with(news.substr(0, news.size() - 7))) << seen;
  PushRig cut("news", planned(Verb::Kind::kTruncate, {.bytes = 2}));
  EXPECT_EQ(cut.server(news), news.substr(0, news.size() - 5));
  EXPECT_TRUE(cut.pump.closed());
  PushRig closed("news", close_verb(true));
  EXPECT_EQ(closed.server(other + news), other);
  EXPECT_TRUE(closed.pump.reset());
}

TEST(RedisPushes, HeldOnesKeepTheOrder) {
  PushRig rig("news", hold_verb());
  EXPECT_EQ(rig.server(message("news", "x") + message("other", "y")), "");
  rig.pump.release(Direction::kToClient);
  EXPECT_EQ(rig.to_client(), message("news", "x") + message("other", "y"));
}

TEST(RedisPushes, LongOnesAreSwallowedOrPassWhole) {
  const std::string news = message("news", std::string(500, 'x'));
  const Limits limits{.reply_bytes_max = 64, .whole_reply_bytes_max = 128};
  PushRig lost("news", {.kind = Verb::Kind::kSwallow, .tag = 7}, limits);
  EXPECT_EQ(lost.server(news.substr(0, 100)) + lost.server(news.substr(100) + "+x\r\n"), "+x\r\n");
  PushRig twice("news", kTwice, limits);
  EXPECT_EQ(twice.server(news), news);
  EXPECT_TRUE(twice.host.log[twice.host.log.size() - 2].starts_with("skipped 2"));
}

TEST(RedisPushes, InvalidationsAreMessagesOfTheirChannel) {
  Rig rig([](const Facts& facts) {
    const bool lost = facts.phase == Phase::kPush && facts.subject == "__redis__:invalidate" &&
                      facts.details->any(Detail::kArgument, "1", [](auto k) { return k == "a"; });
    return lost ? Verb{.kind = Verb::Kind::kSwallow, .tag = 7} : Verb{};
  });
  rig.host.wanted_phases = {Phase::kPush};
  const auto invalid = [](const char* key) {
    return ">2\r\n" + bulk("invalidate") + "*1\r\n" + bulk(key);
  };
  rig.client(command("HELLO 3") + command("GET a"));
  EXPECT_EQ(rig.server(kHello + invalid("a") + invalid("b") + "$-1\r\n"),
            kHello + invalid("b") + "$-1\r\n");
}

TEST(RedisDatabases, AreThoseThatWillBeSelected) {
  std::string seen;
  Rig rig([&](const Facts& facts) {
    facts.details->any(Detail::kSelectedDb, "", [&](auto db) {
      seen += db;
      return true;
    });
    return Verb{};
  });
  rig.client(command("GET a") + command("SELECT 3") + command("GET a"));
  rig.server("$-1\r\n+OK\r\n$-1\r\n");
  rig.client(command("SELECT 99") + command("GET a"));
  EXPECT_EQ(seen, "00339" + std::string("9"));
  rig.server("-ERR DB index is out of range\r\n$-1\r\n");
  rig.client(command("GET a"));
  EXPECT_EQ(seen.back(), '3');
  rig.server("$-1\r\n");
  rig.client(command("MULTI") + command("SELECT 4") + command("GET a") + command("DISCARD") +
             command("GET a"));
  EXPECT_EQ(seen.substr(seen.size() - 5), "33443");
  rig.server("+OK\r\n" + kQueued + kQueued + "+OK\r\n$-1\r\n");
  rig.client(command("RESET") + command("GET a"));
  EXPECT_EQ(seen.back(), '0');
}

TEST(RedisConnect, IsRefusedBeforeAnythingIsAsked) {
  Rig rig([](const Facts& facts) {
    return facts.phase == Phase::kStartup ? error_verb("ERR", "max number of clients reached")
                                          : Verb{};
  });
  rig.host.wanted_phases = {Phase::kStartup};
  rig.client("");
  EXPECT_EQ(rig.to_client(), "-ERR max number of clients reached\r\n");
  EXPECT_TRUE(rig.pump.closed());
}

TEST(RedisTransactions, AreCounted) {
  std::vector<std::uint64_t> seen;
  Rig rig([&](const Facts& facts) {
    seen.push_back(facts.transaction);
    return Verb{};
  });
  const std::string transaction = command("MULTI") + command("GET a") + command("EXEC");
  rig.client(transaction + command("GET a") + transaction);
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{0, 1, 1, 0, 0, 2, 2}));
}

}  // namespace
}  // namespace misrule::codecs::redis
