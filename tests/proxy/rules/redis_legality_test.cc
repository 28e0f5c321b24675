// What a rule may say about Redis, what it then meets, and what a real server could have answered.

#include "proxy/rules/redis_legality.h"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/proxy.h"
#include "tests/proxy/rules/rule_maker.h"

namespace misrule::rules {
namespace {

using model::Rule;
using testing::ElementsAre;
using testing::HasSubstr;

Rule redis_rule(std::string_view command, std::string_view key = {}) {
  Rule rule;
  rule.set_id("r");
  rule.mutable_target()->set_service("cache");
  rule.mutable_redis();
  if (!command.empty()) rule.mutable_redis()->set_command(std::string(command));
  if (!key.empty()) rule.mutable_redis()->set_key(std::string(key));
  return rule;
}

Rule redis_error(std::string_view command, std::string_view code, std::string_view message = {}) {
  Rule rule = redis_rule(command);
  if (!code.empty()) rule.mutable_error()->set_code(std::string(code));
  if (!message.empty()) rule.mutable_error()->set_message(std::string(message));
  rule.mutable_error();
  return rule;
}

// "legal CODE" with what was filled in, or why not.
std::string judged(Rule rule) {
  const Status status = proxy::check_rule(shop_topology(), rule);
  if (!status.has_value()) return status.error().what;
  return rule.has_error() ? "legal " + rule.error().code() : "legal";
}

std::string judged_drop(std::string_view command, std::string_view key = {}) {
  Rule rule = redis_rule(command, key);
  rule.mutable_drop();
  return judged(std::move(rule));
}

TEST(RedisLegality, FillsInWhatIsLeftOut) {
  EXPECT_EQ(judged(redis_error("SET", "OOM")), "legal OOM");
  EXPECT_EQ(judged(redis_error("SET", "oom")), "legal OOM");
  EXPECT_EQ(judged(redis_error("", "", "READONLY You can't write against a read only replica.")),
            "legal READONLY");
  EXPECT_EQ(judged(redis_error("GET", "", "no idea")), "legal ERR");
  EXPECT_EQ(judged(redis_error("GET", "")), "legal ERR");
  EXPECT_EQ(judged(redis_error("GET", "MOVED", "MOVED 5 127.0.0.1:7001")), "legal MOVED");
  EXPECT_EQ(judged(redis_error("JSON.SET", "WHATEVER", "text")), "legal WHATEVER");
}

using Changing = std::function<void(Rule&)>;

std::string judged_with(std::string_view command, const Changing& change) {
  Rule rule = redis_rule(command);
  change(rule);
  return judged(std::move(rule));
}

void respond_text(Rule& rule) { rule.mutable_respond()->mutable_value()->set_string_value("x"); }
void respond_number(Rule& rule) { rule.mutable_respond()->mutable_value()->set_number_value(5); }
void respond_list(Rule& rule) { rule.mutable_respond()->mutable_value()->mutable_list_value(); }
void respond_nil(Rule& rule) {
  rule.mutable_respond()->mutable_value()->set_null_value(google::protobuf::NULL_VALUE);
}
void duplicate(Rule& rule) { rule.mutable_duplicate(); }
void corrupt(Rule& rule) { rule.mutable_corrupt(); }

TEST(RedisLegality, MadeUpAnswersAreOfTheKindThatTheCommandGives) {
  EXPECT_EQ(judged_with("GET", respond_text), "legal");
  EXPECT_EQ(judged_with("GET", respond_nil), "legal");
  EXPECT_EQ(judged_with("INCR", respond_number), "legal");
  EXPECT_EQ(judged_with("MODULE.X", respond_list), "legal");
  EXPECT_EQ(judged_with("", respond_list), "legal");
  EXPECT_EQ(judged_with("EXEC", respond_nil), "legal");
  EXPECT_THAT(judged_with("GET", respond_list),
              HasSubstr("a redis server answers GET with a string or None"));
  EXPECT_THAT(judged_with("INCR", respond_text), HasSubstr("a whole number or None"));
  EXPECT_THAT(judged_with("EXEC", respond_list), HasSubstr("make EXEC's answer None"));
  EXPECT_THAT(judged_with("GET", [](Rule& rule) { rule.mutable_respond(); }), HasSubstr("value="));
  EXPECT_THAT(judged_with("GET",
                          [](Rule& rule) {
                            respond_text(rule);
                            rule.mutable_respond()->set_status(200);
                          }),
              HasSubstr("value="));
}

TEST(RedisLegality, PagesCanBeEdited) {
  const auto edit = [](const std::string& name) {
    return [name](Rule& rule) {
      auto& fields = *rule.mutable_rewrite()->mutable_value()->mutable_struct_value();
      (*fields.mutable_fields())[name].mutable_list_value();
    };
  };
  EXPECT_EQ(judged_with("SCAN", edit("keys")), "legal");
  EXPECT_THAT(judged_with("SCAN", edit("items")), HasSubstr("\"missing\", \"repeat\""));
  EXPECT_THAT(judged_with("GET", edit("keys")), HasSubstr("a string or None"));
}

TEST(RedisLegality, WhatChangesTheConnectionStaysAsItIs) {
  for (const char* command : {"HELLO", "MULTI", "SELECT", "SUBSCRIBE", "MONITOR", "RESET"}) {
    EXPECT_THAT(judged_with(command, respond_text), HasSubstr("changes the connection itself"));
    EXPECT_THAT(judged_with(command, duplicate), HasSubstr("changes the connection itself"));
    EXPECT_THAT(judged_with(command, corrupt), HasSubstr("changes the connection itself"));
  }
  EXPECT_THAT(judged_with("BLPOP", duplicate), HasSubstr("it waits, and then waits again"));
  EXPECT_THAT(judged_with("AUTH", duplicate), HasSubstr("changes the connection"));
  EXPECT_EQ(judged_with("INCR", duplicate), "legal");
  EXPECT_THAT(judged_with("GET", [](Rule& rule) { rule.mutable_truncate()->set_bytes(1'000'000); }),
              HasSubstr("at most 131072 bytes"));
}

TEST(RedisLegality, WhatIsPublishedWasNotAskedFor) {
  const auto published = [](const Changing& change) {
    return judged_with("", [&](Rule& rule) {
      rule.mutable_redis()->set_channel("news");
      change(rule);
    });
  };
  for (const Changing& legal : std::vector<Changing>{
           duplicate, corrupt, [](Rule& rule) { rule.mutable_drop(); },
           [](Rule& rule) { rule.mutable_hold(); },
           [](Rule& rule) { rule.mutable_rewrite()->mutable_value()->set_string_value("x"); },
           [](Rule& rule) {
             rule.mutable_drop();
             (*rule.mutable_redis()->mutable_args())["1"] = "*paid*";
           }}) {
    EXPECT_EQ(published(legal), "legal");
  }
  EXPECT_THAT(published(respond_text), HasSubstr("nobody asked"));
  EXPECT_THAT(published([](Rule& rule) { rule.mutable_error(); }), HasSubstr("nobody asked"));
  EXPECT_THAT(published([](Rule& rule) { rule.mutable_drop()->set_mode("request"); }),
              HasSubstr("no request"));
  EXPECT_THAT(published([](Rule& rule) {
                rule.mutable_drop();
                rule.mutable_redis()->set_command("GET");
              }),
              HasSubstr("leave command="));
}

TEST(RedisLegality, ArgumentsAndDatabasesAreNumbered) {
  const auto argued = [](const char* at) {
    return judged_with("SET", [&](Rule& rule) {
      duplicate(rule);
      (*rule.mutable_redis()->mutable_args())[at] = "*";
    });
  };
  EXPECT_EQ(argued("1"), "legal");
  for (const char* wrong : {"0", "-1", "key", ""}) {
    EXPECT_THAT(argued(wrong), HasSubstr("counted from 1"));
  }
  EXPECT_THAT(judged_with("",
                          [](Rule& rule) {
                            duplicate(rule);
                            rule.mutable_redis()->set_db("main");
                          }),
              HasSubstr("databases have numbers"));
}

TEST(RedisLegality, WhatIsSaidAtConnectHasNoCommand) {
  EXPECT_EQ(judged(redis_error("", "", "max number of clients reached")), "legal ERR");
  EXPECT_THAT(judged(redis_error("GET", "", "max number of clients reached")),
              HasSubstr("when a client connects"));
}

TEST(RedisLegality, RefusesTextsThatNoServerSays) {
  EXPECT_THAT(judged(redis_error("GET", "WHATEVER")), HasSubstr("code=\"WHATEVER\" is not known"));
  EXPECT_THAT(judged(redis_error("GET", "MOVED")), HasSubstr("give message=\"MOVED ...\""));
  EXPECT_THAT(judged(redis_error("GET", "a b")), HasSubstr("is no word that a redis error begins"));
  EXPECT_THAT(judged(redis_error("GET", "", "two\nlines")), HasSubstr("message= is one line"));
  Rule rule = redis_error("GET", "");
  rule.mutable_error()->set_status(503);
  EXPECT_THAT(judged(rule), HasSubstr("status= and body= are for http"));
}

TEST(RedisLegality, RefusesWhatAServerNeverAnswersToACommand) {
  EXPECT_EQ(judged(redis_error("GET", "READONLY")),
            "a redis server never answers GET with READONLY");
  EXPECT_EQ(judged(redis_error("DEL", "OOM")), "a redis server never answers DEL with OOM");
  EXPECT_EQ(judged(redis_error("EVAL", "NOSCRIPT")),
            "a redis server never answers EVAL with NOSCRIPT");
  EXPECT_THAT(judged(redis_error("QUIT", "ERR")), HasSubstr("does not refuse QUIT"));
  EXPECT_THAT(judged(redis_error("discard", "ERR")), HasSubstr("does not refuse DISCARD"));
  EXPECT_EQ(judged(redis_error("G*", "READONLY")), "legal READONLY");
  Rule masked = redis_error("SUBSCRIBE", "ERR");
  masked.mutable_error()->set_mode("mask");
  EXPECT_THAT(judged(masked), HasSubstr("SUBSCRIBE changes the connection itself"));
  masked.mutable_redis()->set_command("SET");
  EXPECT_EQ(judged(masked), "legal ERR");
}

TEST(RedisLegality, RefusesMatchesThatCanNeverMatch) {
  EXPECT_EQ(judged_drop("SET", "user:*"), "legal");
  EXPECT_EQ(judged_drop("CONFIG SET"), "legal");
  EXPECT_EQ(judged_drop("JSON.SET", "a"), "legal");
  EXPECT_THAT(judged_drop("SET user:1"),
              HasSubstr("compared with the command's name alone, \"SET\""));
  EXPECT_THAT(judged_drop("CONFIG SET maxmemory"), HasSubstr("name alone, \"CONFIG\""));
  EXPECT_EQ(judged_drop("PING", "a"), "key=\"a\" can never match: PING names no key");
  Rule rule = redis_rule("SET");
  rule.mutable_drop();
  rule.mutable_redis()->set_command("");
  EXPECT_THAT(judged(rule), HasSubstr("command=\"\" can never match"));
  rule = redis_rule("SET");
  rule.mutable_drop();
  rule.mutable_redis()->set_key("");
  EXPECT_THAT(judged(rule), HasSubstr("key=\"\" matches the empty key alone"));
}

TEST(RedisLegality, WordsOfOtherProtocolsAreRefused) {
  Rule rule = redis_rule("SET");
  rule.mutable_drop();
  rule.mutable_target()->set_service("db");
  EXPECT_THAT(judged(rule), HasSubstr("command= or key= is for redis interfaces"));
  rule = postgres_error("r", "INSERT*");
  rule.mutable_target()->set_service("cache");
  rule.mutable_target()->clear_interface();
  EXPECT_THAT(judged(rule), HasSubstr("where command= and key= say which commands are meant"));
}

class RedisRules {
 public:
  explicit RedisRules(std::vector<Rule> rules) {
    model::RuleSet wanted;
    for (Rule& rule : rules) *wanted.add_rules() = std::move(rule);
    auto compiled = RuleSet::compile(wanted, shop_topology(), book_);
    EXPECT_TRUE(compiled.has_value()) << compiled.error().what;
    set_ = *std::move(compiled);
  }

  std::string decide(std::string_view command, std::vector<std::string_view> keys,
                     std::string_view state = "idle") {
    const Scope scope = set_->scope({.service = "cache", .interface = "main", .consumer = "api"});
    const Decision decision =
        scope.decide({.protocol = "redis",
                      .operation = command,
                      .subject = keys.empty() ? std::string_view() : keys.front(),
                      .state = state,
                      .keys = keys},
                     actor_);
    return decision.rule == nullptr ? "" : decision.rule->id;
  }
  std::vector<std::string> near_misses() const { return book_.tallies().front().near_misses; }

 private:
  RuleBook book_{1};
  std::shared_ptr<const RuleSet> set_;
  Actor actor_{"api#1"};
};

Rule named(std::string_view id, Rule rule) {
  rule.set_id(std::string(id));
  if (rule.action_case() == Rule::ACTION_NOT_SET) rule.mutable_drop();
  return rule;
}

TEST(RedisRuleSet, MatchesNamesAndAnyKey) {
  RedisRules rules({named("config", redis_rule("config")), named("user", redis_rule("*", "user:*")),
                    named("h", redis_rule("h?et")), named("set", redis_rule("CONFIG SET"))});
  EXPECT_EQ(rules.decide("GET", {"user:1"}), "user");
  EXPECT_EQ(rules.decide("MGET", {"a", "b", "user:2"}), "user");
  EXPECT_EQ(rules.decide("MGET", {"a", "b"}), "");
  EXPECT_EQ(rules.decide("GET", {"USER:1"}), "");
  EXPECT_EQ(rules.decide("PING", {}), "");
  EXPECT_EQ(rules.decide("HGET", {"a"}), "h");
  EXPECT_EQ(rules.decide("HMGET", {"a"}), "");
  EXPECT_EQ(rules.decide("CONFIG SET", {}), "config");
  EXPECT_EQ(rules.decide("CONFIG GET", {}), "config");
}

TEST(RedisRuleSet, LeavesAloneWhatAServerDoesNotAnswerSo) {
  RedisRules rules({redis_error("", "READONLY")});
  EXPECT_EQ(rules.decide("GET", {"a"}), "");
  EXPECT_THAT(rules.near_misses(), ElementsAre("1x GET a: a server does not answer it so"));
  EXPECT_EQ(rules.decide("SET", {"a"}), "r");
  EXPECT_EQ(rules.decide("EXEC", {}), "");
  EXPECT_EQ(rules.decide("NEWER", {"a"}), "r");
  RedisRules exec({redis_error("EXEC", "READONLY")});
  EXPECT_EQ(exec.decide("EXEC", {}), "r");
  RedisRules memory({redis_error("", "OOM")});
  EXPECT_EQ(memory.decide("GET", {"a"}), "");
  EXPECT_EQ(memory.decide("GET", {"a"}, "transaction"), "r");
}

}  // namespace
}  // namespace misrule::rules
