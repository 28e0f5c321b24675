#include "proxy/admin/answers.h"

#include <chrono>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/unique_fd.h"
#include "tests/proxy/admin/fake_proxy.h"

namespace misrule::proxy {
namespace {

using ::testing::HasSubstr;

class AnswersTest : public ::testing::Test {
 protected:
  AdminAnswer get(const std::string& target) {
    return answers_.answer({.method = "GET", .target = target});
  }
  AdminAnswer put(const std::string& body, const std::string& if_match = "") {
    return answers_.answer(
        {.method = "PUT", .target = "/rules", .if_match = if_match, .body = body});
  }

  testing::FakeProxy proxy_;
  UniqueFd nowhere_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  EventHub events_{nowhere_.fd()};
  const std::vector<Listener> listeners_ = {
      {.service = "db", .interface = "main", .protocol = model::Protocol::kPostgres}};
  LiveRules rules_{proxy_, listeners_, events_};
  std::atomic<bool> draining_ = false;
  AdminAnswers answers_{
      {.proxy = proxy_, .rules = rules_, .events = events_, .draining = draining_}};
};

TEST_F(AnswersTest, HealthSaysWhenItDrains) {
  EXPECT_EQ(get("/health").status, 200U);
  EXPECT_THAT(get("/health").body, HasSubstr("\"status\":\"ok\""));
  draining_ = true;
  EXPECT_EQ(get("/health").status, 503U);
}

TEST_F(AnswersTest, WhatIsPutIsReadBack) {
  const std::string rule = R"({"id":"a","target":{"service":"db"},"postgres":{"query":"x*"},)"
                           R"("delay":{"duration_us":"250"}})";
  AdminAnswer answer = put("{\"rules\":[" + rule + "]}");
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_EQ(answer.etag, "\"1\"");
  answer = get("/rules");
  EXPECT_EQ(answer.body, "{\"version\":1,\"rules\":[" + rule + "]}\n");
  EXPECT_EQ(put(answer.body, answer.etag).status, 200U);
  EXPECT_EQ(put(answer.body, answer.etag).status, 412U);
  EXPECT_EQ(put(answer.body, "W/\"2\"").status, 200U);
  EXPECT_EQ(put(answer.body, "*").status, 200U);
  EXPECT_EQ(put(answer.body, "\"soon\"").status, 400U);
  EXPECT_EQ(put("rules: [{id: x}]").status, 400U);
}

TEST_F(AnswersTest, WhatIsHeldIsLetGoByTheRulesName) {
  const auto post = [this](const std::string& target) {
    return answers_.answer({.method = "POST", .target = target});
  };
  const AdminAnswer answer = post("/rules/release?rule=slow%20payments");
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("\"released\":1"));
  EXPECT_THAT(proxy_.released, ::testing::ElementsAre("slow payments"));
  EXPECT_EQ(post("/rules/release").status, 400U);
  EXPECT_EQ(get("/rules/release?rule=a").status, 405U);
}

TEST_F(AnswersTest, StatsTellWhatIsArmedAndWhatCameNear) {
  put("rules: [{id: \"a\\\"b\", drop: {}}]");
  proxy_.told = {{.rule = "a\"b", .considered = 3, .matched = 2, .fired = 1},
                 {.rule = "gone", .near_misses = {"3x SELECT \"x\""}}};
  const std::string body = get("/rules/stats").body;
  EXPECT_THAT(body,
              HasSubstr(R"({"rule":"a\"b","armed":true,"considered":3,"matched":2,"fired":1)"));
  EXPECT_THAT(body, HasSubstr(R"("rule":"gone","armed":false)"));
  EXPECT_THAT(body, HasSubstr(R"(["3x SELECT \"x\""])"));
}

TEST_F(AnswersTest, ConnectionsAreBounded) {
  proxy_.open.assign(5, {.name = "client#1",
                         .protocol = "postgres",
                         .state = "transaction",
                         .age = std::chrono::milliseconds(7)});
  proxy_.counted.connections_open = 5;
  EXPECT_THAT(get("/connections").body,
              HasSubstr(R"("state":"transaction","held":false,"age_ms":7)"));
  EXPECT_EQ(get("/connections?limit=0").body, "{\"open\":5,\"connections\":[]}\n");
  const std::string two = get("/connections?x=1&limit=2").body;
  std::size_t count = 0;
  for (std::size_t at = two.find("age_ms"); at != std::string::npos;
       at = two.find("age_ms", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 2U);
}

TEST_F(AnswersTest, WhoAsksTheLoopsTooOftenIsRefused) {
  int refused = 0;
  for (int i = 0; i < 1000; ++i) refused += get("/connections").status == 429U ? 1 : 0;
  EXPECT_GT(refused, 0);
  EXPECT_EQ(get("/health").status, 200U);
}

TEST_F(AnswersTest, MetricsSpellLabelsSoThatTheyCanBeRead) {
  proxy_.counted.messages_total = 12;
  proxy_.told = {{.rule = "a\"\n\\b", .fired = 4}};
  const std::string text = get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("misrule_proxy_messages_total 12\n"));
  EXPECT_THAT(text, HasSubstr("misrule_proxy_rule_fired_total{rule=\"a\\\"\\n\\\\b\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE misrule_proxy_connections_open gauge\n"));
}

TEST_F(AnswersTest, MetricsAreBounded) {
  for (int i = 0; i < 1500; ++i) proxy_.told.push_back({.rule = fmt::format("r{}", i)});
  const std::string text = get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("misrule_proxy_rules_without_series 500\n"));
  EXPECT_EQ(text.find("r1000"), std::string::npos);
}

TEST_F(AnswersTest, WhatIsNotThereIsNamed) {
  EXPECT_EQ(get("/conections").status, 404U);
  EXPECT_THAT(get("/conections").body, HasSubstr("did you mean /connections?"));
  const AdminAnswer answer = answers_.answer({.method = "DELETE", .target = "/rules"});
  EXPECT_EQ(answer.status, 405U);
  EXPECT_EQ(answer.allow, "GET, PUT");
  EXPECT_EQ(answers_.answer({.method = "HEAD", .target = "/rules"}).status, 200U);
}

}  // namespace
}  // namespace misrule::proxy
