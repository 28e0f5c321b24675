// What a rule may say about PostgreSQL.

#include "proxy/rules/postgres_legality.h"

#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "proxy/proxy.h"
#include "tests/proxy/rules/rule_maker.h"

namespace misrule::rules {
namespace {

using testing::HasSubstr;

// "legal", or "field: why not".
std::string judged(const std::string& json) {
  model::Rule rule;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, &rule);
  if (!parsed.ok()) return parsed.ToString();
  rule.set_id("r");
  rule.mutable_target()->set_service("db");
  const Status status = proxy::check_rule(shop_topology(), rule);
  if (status.has_value()) return "legal";
  return std::string(status.error().field) + ": " + status.error().what;
}

TEST(PostgresLegality, EachActionOfAStatement) {
  for (const char* action :
       {R"("respond": {"tag": "INSERT 0 1"})",
        R"("respond": {"columns": ["a"], "rows": [[1], [null]]})", R"("respond": {})",
        R"("rewrite": {"columns": {"a": 1}})", R"("duplicate": {})",
        R"("corrupt": {"framing": true})", R"("truncate": {"bytes": 3, "side": "request"})",
        R"("hold": {"side": "reply"})", R"("error": {"code": "40001", "afterRows": 3})",
        R"("drop": {"side": "reply", "reset": true})"}) {
    EXPECT_EQ(judged(std::string(R"({"postgres": {"query": "select*"}, )") + action + "}"), "legal")
        << action;
  }
}

TEST(PostgresLegality, RespondSaysRowsAndTag) {
  const auto respond = [](const std::string& fields) {
    return judged(R"({"postgres": {}, "respond": {)" + fields + "}}");
  };
  EXPECT_THAT(respond(R"("value": 1)"), HasSubstr("value: value= is not for postgres"));
  EXPECT_THAT(respond(R"("status": 200)"), HasSubstr("status: "));
  EXPECT_THAT(respond(R"("columns": ["a", "b"], "rows": [[1]])"), HasSubstr("rows: a row of 1"));
  EXPECT_THAT(respond(R"("columns": ["a"], "rows": [[[1]]])"), HasSubstr("list or a dict"));
  EXPECT_THAT(respond(R"("tag": "a\u0000b")"), HasSubstr("tag: "));
}

TEST(PostgresLegality, RewriteSaysColumns) {
  const auto rewrite = [](const std::string& fields) {
    return judged(R"({"postgres": {}, "rewrite": {)" + fields + "}}");
  };
  EXPECT_THAT(rewrite(""), HasSubstr("columns: rewrite() wants columns="));
  EXPECT_THAT(rewrite(R"("columns": {"a": 1}, "status": 1)"), HasSubstr("status: "));
  EXPECT_THAT(rewrite(R"("columns": {"a": {"b": 1}})"), HasSubstr("give it as text"));
}

TEST(PostgresLegality, MomentsAreNoStatements) {
  const auto moment = [](const std::string& match, const std::string& action) {
    return judged(R"({"postgres": {)" + match + "}, " + action + "}");
  };
  const std::string startup = R"("moment": "startup")";
  const std::string idle = R"("moment": "idle")";
  const std::string error = R"("error": {"code": "57P03"})";
  EXPECT_EQ(moment(startup, error), "legal");
  EXPECT_EQ(moment(startup + R"(, "user": "app")", error), "legal");
  EXPECT_EQ(moment(startup, R"("delay": {"durationUs": 5})"), "legal");
  EXPECT_EQ(moment(startup, R"("hold": {})"), "legal");
  EXPECT_EQ(moment(idle, error), "legal");
  EXPECT_EQ(moment(idle, R"("drop": {"reset": true})"), "legal");
  EXPECT_THAT(moment(R"("moment": "lunch")", error), HasSubstr("moment: moment=\"lunch\""));
  EXPECT_THAT(moment(startup + R"(, "table": "t")", error), HasSubstr("table: table= is about"));
  EXPECT_THAT(moment(idle, R"("delay": {"durationUs": 5})"), HasSubstr("moment: "));
  EXPECT_THAT(moment(startup, R"("respond": {})"), HasSubstr("moment: "));
  EXPECT_THAT(moment(idle, R"("drop": {"mode": "blackhole"})"), HasSubstr("moment: "));
}

TEST(PostgresLegality, DetailsThatCannotBe) {
  EXPECT_THAT(judged(R"({"postgres": {"params": {"0": "x"}}, "duplicate": {}})"),
              HasSubstr("params: "));
  EXPECT_THAT(judged(R"({"postgres": {"params": {"name": "x"}}, "duplicate": {}})"),
              HasSubstr("params: "));
  EXPECT_THAT(judged(R"({"postgres": {"queryRegex": "("}, "duplicate": {}})"),
              HasSubstr("query_regex: "));
  EXPECT_THAT(
      judged(R"({"postgres": {}, "error": {"code": "40001", "mode": "mask", "afterRows": 1}})"),
      HasSubstr("after_rows: "));
}

}  // namespace
}  // namespace misrule::rules
