#include "proxy/rules/legality.h"

#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/proxy.h"
#include "tests/proxy/rules/rule_maker.h"

namespace misrule::rules {
namespace {

using model::Rule;
using testing::HasSubstr;

std::string refusal(Rule rule) {
  const Status status = proxy::check_rule(shop_topology(), rule);
  return status.has_value() ? "legal" : status.error().what;
}

std::string refusal_of(Rule rule, const std::function<void(Rule&)>& change) {
  change(rule);
  return refusal(std::move(rule));
}

Rule query_rule() { return postgres_error("r", "INSERT*"); }
Rule path_rule() { return http_error("r", "/orders"); }
Rule tcp_drop() {
  Rule rule;
  rule.set_id("r");
  rule.mutable_target()->set_service("relay");
  rule.mutable_drop();
  return rule;
}

TEST(CheckRule, passesWhatIsLegal) {
  EXPECT_EQ(refusal(query_rule()), "legal");
  EXPECT_EQ(refusal(path_rule()), "legal");
  EXPECT_EQ(refusal(tcp_drop()), "legal");
  EXPECT_EQ(refusal_of(query_rule(), [](Rule& r) { r.mutable_drop()->set_mode("connection"); }),
            "legal");
  EXPECT_EQ(refusal_of(query_rule(), [](Rule& r) { r.set_source("worker"); }), "legal");
  EXPECT_EQ(refusal_of(query_rule(), [](Rule& r) { r.set_source("test"); }), "legal");
}

TEST(CheckRule, fillsInWhatIsLeftOut) {
  Rule rule = query_rule();
  rule.mutable_error()->clear_code();
  rule.mutable_error()->set_message("disk full");
  ASSERT_TRUE(proxy::check_rule(shop_topology(), rule).has_value());
  EXPECT_EQ(rule.error().code(), "53100");
  rule.mutable_error()->clear_code();
  rule.mutable_error()->set_message("no idea");
  ASSERT_TRUE(proxy::check_rule(shop_topology(), rule).has_value());
  EXPECT_EQ(rule.error().code(), "XX000");
  rule.mutable_error()->set_code("Serialization_Failure");
  rule.mutable_error()->clear_message();
  ASSERT_TRUE(proxy::check_rule(shop_topology(), rule).has_value());
  EXPECT_EQ(rule.error().code(), "40001");
  EXPECT_FALSE(rule.error().message().empty());
  rule = path_rule();
  rule.mutable_error()->clear_status();
  ASSERT_TRUE(proxy::check_rule(shop_topology(), rule).has_value());
  EXPECT_EQ(rule.error().status(), 500U);
}

TEST(CheckRule, targetsThatAreNot) {
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.clear_target(); }), HasSubstr("no target"));
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.mutable_target()->set_service("bd"); }),
              HasSubstr("no service 'bd'; declared: db, api"));
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.mutable_target()->set_interface("x"); }),
              HasSubstr("no interface 'x'; it has: pg"));
  EXPECT_THAT(refusal_of(tcp_drop(), [](Rule& r) { r.mutable_target()->set_service("worker"); }),
              HasSubstr("'worker' has no interface"));
  EXPECT_THAT(refusal_of(tcp_drop(), [](Rule& r) { r.mutable_target()->set_service("log"); }),
              HasSubstr("speaks kafka, which this version does not decode yet"));
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.set_source("ap"); }),
              HasSubstr("source=\"ap\" is no service"));
}

TEST(CheckRule, keywordsOfAnotherProtocolSayWhoseTheyAre) {
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { *r.mutable_target() = path_rule().target(); }),
              HasSubstr("query= is for postgres interfaces; interface 'http' of 'api' speaks http, "
                        "where path= and method= say"));
  EXPECT_THAT(refusal_of(path_rule(), [](Rule& r) { *r.mutable_target() = query_rule().target(); }),
              HasSubstr("path= or method= is for http interfaces"));
  EXPECT_THAT(refusal_of(path_rule(), [](Rule& r) { r.mutable_error()->set_code("40001"); }),
              HasSubstr("code=\"40001\" is for postgres"));
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.mutable_error()->set_status(503); }),
              HasSubstr("status= and body= are for http"));
  EXPECT_THAT(refusal_of(tcp_drop(), [](Rule& r) { r.mutable_error(); }),
              HasSubstr("plain tcp has none: use drop() or delay()"));
}

TEST(CheckRule, triggersThatNeverFire) {
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.mutable_trigger()->set_nth(0); }),
              HasSubstr("nth=0"));
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.mutable_trigger()->set_times(0); }),
              HasSubstr("times=0"));
  EXPECT_THAT(refusal_of(query_rule(),
                         [](Rule& r) {
                           r.mutable_trigger()->set_nth(2);
                           r.mutable_trigger()->set_after(2);
                         }),
              HasSubstr("nth=2 can never fire: after=2"));
  for (const double wrong : {0.0, -1.0, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(
        refusal_of(query_rule(), [=](Rule& r) { r.mutable_trigger()->set_probability(wrong); }),
        HasSubstr("is not above 0 and at most 1"));
  }
}

TEST(CheckRule, patternsThatNeverMatch) {
  EXPECT_THAT(refusal(http_error("r", "orders")), HasSubstr("did you mean \"/orders\""));
  EXPECT_THAT(refusal(http_error("r", "/orders?id=1")), HasSubstr("write path=\"/orders\""));
  EXPECT_EQ(refusal(http_error("r", "/caf%C3%A9/../b")), "legal");
  EXPECT_THAT(refusal(http_error("r", "/a/../b")), HasSubstr("dot segments"));
  EXPECT_EQ(refusal(http_error("r", "/a%2Fb/100%")), "legal");
  EXPECT_EQ(refusal(http_error("r", "/orders/?")), "legal");
  EXPECT_EQ(refusal(http_error("r", "*/orders")), "legal");
  EXPECT_THAT(refusal(postgres_error("r", " ; ")), HasSubstr("can never match"));
  EXPECT_THAT(refusal_of(path_rule(), [](Rule& r) { r.mutable_http()->set_method("GE T"); }),
              HasSubstr("is no HTTP method"));
}

TEST(CheckRule, errorsNoServerCouldSend) {
  const auto with_status = [](std::uint32_t status) {
    return refusal_of(path_rule(), [=](Rule& r) { r.mutable_error()->set_status(status); });
  };
  EXPECT_EQ(with_status(200), "legal");
  EXPECT_EQ(with_status(599), "legal");
  EXPECT_THAT(with_status(199), HasSubstr("only announces an answer"));
  EXPECT_THAT(with_status(600), HasSubstr("not within 200 to 599"));
  EXPECT_THAT(refusal_of(path_rule(),
                         [](Rule& r) {
                           r.mutable_error()->set_status(204);
                           r.mutable_error()->set_body("x");
                         }),
              HasSubstr("has no body"));
  const auto with_code = [](const std::string& code) {
    return refusal_of(query_rule(), [&](Rule& r) { r.mutable_error()->set_code(code); });
  };
  EXPECT_EQ(with_code("42P01"), "legal");
  EXPECT_THAT(with_code("4000"), HasSubstr("neither an SQLSTATE"));
  EXPECT_THAT(with_code("serialisation_failure"),
              HasSubstr("(did you mean serialization_failure?)"));
  EXPECT_THAT(with_code("00000"), HasSubstr("success or a warning"));
  EXPECT_THAT(refusal_of(query_rule(),
                         [](Rule& r) { r.mutable_error()->set_message(std::string("a\0b", 3)); }),
              HasSubstr("NUL"));
}

TEST(CheckRule, whoDoesItAndWhoIsTold) {
  EXPECT_EQ(refusal_of(query_rule(), [](Rule& r) { r.mutable_error()->set_mode("mask"); }),
            "legal");
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.mutable_error()->set_mode("fake"); }),
              HasSubstr("is the opposite of an error: respond()"));
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.mutable_error()->set_mode("soft"); }),
              HasSubstr("is none of"));
  EXPECT_THAT(refusal_of(query_rule(),
                         [](Rule& r) {
                           r.mutable_error()->set_mode("mask");
                           r.mutable_error()->set_code("57P01");
                         }),
              HasSubstr("ends the connection"));
}

TEST(CheckRule, drops) {
  const auto with_drop = [](Rule rule, const std::string& mode, const std::string& side) {
    if (!mode.empty()) rule.mutable_drop()->set_mode(mode);
    if (!side.empty()) rule.mutable_drop()->set_side(side);
    return refusal(std::move(rule));
  };
  for (const std::string mode : {"connection", "request", "reply", "blackhole"}) {
    EXPECT_EQ(with_drop(query_rule(), mode, ""), "legal");
    if (mode == "connection") continue;
    EXPECT_THAT(with_drop(tcp_drop(), mode, ""), HasSubstr("link(blackhole=True)"));
    EXPECT_THAT(with_drop(query_rule(), mode, "reply"), HasSubstr("leaves it open"));
  }
  EXPECT_EQ(with_drop(query_rule(), "", "reply"), "legal");
  EXPECT_THAT(with_drop(tcp_drop(), "", "reply"), HasSubstr("no replies"));
  EXPECT_THAT(with_drop(query_rule(), "", "both"), HasSubstr("neither"));
  EXPECT_THAT(with_drop(tcp_drop(), "soft", ""), HasSubstr("is none of"));
}

TEST(CheckRule, links) {
  const auto with_link = [](const std::function<void(model::LinkFault&)>& change) {
    Rule rule = tcp_drop();
    change(*rule.mutable_link());
    return refusal(std::move(rule));
  };
  using Link = model::LinkFault;
  EXPECT_EQ(with_link([](Link& link) { link.set_latency_us(1); }), "legal");
  EXPECT_EQ(with_link([](Link& link) { link.set_reset_after(0); }), "legal");
  EXPECT_THAT(with_link([](Link&) {}), HasSubstr("does nothing"));
  EXPECT_THAT(with_link([](Link& link) { link.set_bandwidth(0); }), HasSubstr("blackhole"));
  EXPECT_THAT(with_link([](Link& link) { link.set_slice_bytes(0); }), HasSubstr("blackhole"));
  EXPECT_THAT(with_link([](Link& link) { link.set_slice_delay_us(5); }), HasSubstr("does nothing"));
  EXPECT_THAT(with_link([](Link& link) {
                link.set_latency_us(5);
                link.set_slice_delay_us(5);
              }),
              HasSubstr("wants slice="));
  EXPECT_THAT(with_link([](Link& link) { link.set_latency_us(25ULL * 3600 * 1'000'000); }),
              HasSubstr("24 hours"));
  EXPECT_THAT(with_link([](Link& link) {
                link.set_blackhole(true);
                link.set_direction("up");
              }),
              HasSubstr("none of"));
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.mutable_link()->set_blackhole(true); }),
              HasSubstr("whatever they mean"));
}

TEST(CheckRule, delays) {
  const auto with_delay = [](Rule rule, std::uint64_t us, const std::string& side) {
    rule.mutable_delay()->set_duration_us(us);
    if (!side.empty()) rule.mutable_delay()->set_side(side);
    return refusal(std::move(rule));
  };
  EXPECT_EQ(with_delay(query_rule(), 1, ""), "legal");
  EXPECT_EQ(with_delay(query_rule(), 1, "reply"), "legal");
  EXPECT_EQ(with_delay(tcp_drop(), 1, "request"), "legal");
  EXPECT_THAT(with_delay(tcp_drop(), 1, "reply"), HasSubstr("plain tcp has none"));
  EXPECT_THAT(with_delay(query_rule(), 0, ""), HasSubstr("does nothing"));
  EXPECT_THAT(with_delay(query_rule(), 25ULL * 3600 * 1'000'000, ""), HasSubstr("24 hours"));
  EXPECT_THAT(with_delay(query_rule(), 1, "both"), HasSubstr("neither"));
}

TEST(CheckRule, actionsThatAreNot) {
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.clear_action(); }), HasSubstr("no action"));
  EXPECT_THAT(refusal_of(query_rule(), [](Rule& r) { r.mutable_deny()->set_error("EIO"); }),
              HasSubstr("deny() fails a system call"));
}

TEST(CheckRule, namesTheKeywordThatIsToBlame) {
  const auto field = [](Rule rule, const std::function<void(Rule&)>& change) {
    change(rule);
    const Status status = proxy::check_rule(shop_topology(), rule);
    return status.has_value() ? "legal" : std::string(status.error().field);
  };
  EXPECT_EQ(field(query_rule(), [](Rule& r) { r.mutable_error()->set_status(503); }), "status");
  EXPECT_EQ(field(query_rule(), [](Rule& r) { r.mutable_error()->set_body("b"); }), "body");
  EXPECT_EQ(field(query_rule(), [](Rule& r) { r.mutable_error()->set_code("nope!"); }), "code");
  EXPECT_EQ(field(query_rule(), [](Rule& r) { r.mutable_error()->set_mode("x"); }), "mode");
  EXPECT_EQ(field(query_rule(), [](Rule& r) { r.set_source("nobody"); }), "source");
  EXPECT_EQ(field(query_rule(), [](Rule& r) { r.mutable_delay(); }), "duration");
  EXPECT_EQ(field(path_rule(), [](Rule& r) { r.mutable_http()->set_path("orders"); }), "path");
  EXPECT_EQ(field(path_rule(), [](Rule& r) { r.mutable_http()->set_method("G T"); }), "method");
  EXPECT_EQ(field(path_rule(), [](Rule& r) { r.mutable_error()->set_code("40001"); }), "code");
  EXPECT_EQ(field(path_rule(), [](Rule& r) { r.mutable_postgres()->set_query("x"); }), "query");
  EXPECT_EQ(field(tcp_drop(), [](Rule& r) { r.clear_target(); }), "") << "none of its keywords";
}

}  // namespace
}  // namespace misrule::rules
