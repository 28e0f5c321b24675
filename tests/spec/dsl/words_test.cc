// sleep(), wait_until(), now(), rand(): time that a test waits for, and chance that repeats.

#include <gmock/gmock.h>

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using testing::HasSubstr;
using Words = SpecTest;

TEST_F(Words, SleepTakesItsTimeAndNowTellsIt) {
  EXPECT_EQ(outcome_of("assert_eq(now(), 0)\n"
                       "sleep(\"1500ms\")\n"
                       "assert_eq(now(), 1500)"),
            "completed");
  EXPECT_THAT(outcome_of("sleep(3)"), HasSubstr("want duration such as"));
}

TEST_F(Words, WaitUntilAsksAgainUntilItIsTrue) {
  EXPECT_EQ(outcome_of("calls = []\n"
                       "def ready():\n"
                       "    calls.append(now())\n"
                       "    return len(calls) == 3 and \"ready\"\n"
                       "assert_eq(wait_until(ready), \"ready\")\n"
                       "assert_eq(calls, [0, 50, 100])\n"
                       "calls.clear()\n"
                       "wait_until(ready, every = \"1s\")\n"
                       "assert_eq(calls, [100, 1100, 2100])"),
            "completed");
}

TEST_F(Words, AtItsDeadlineItIsAskedOnceMoreAndShowsTheLastValue) {
  EXPECT_EQ(outcome_of("calls = []\n"
                       "def never():\n"
                       "    calls.append(now())\n"
                       "    return []\n"
                       "wait_until(never, within = \"2s\", every = \"1500ms\", msg = str(calls))"),
            "8:5-15 wait_until: []");
  EXPECT_EQ(outcome_of("wait_until(lambda: api.get(path = \"/\").status == 500, within = \"1s\")"),
            "4:5-15 wait_until: after 1 s it is still False");
  EXPECT_EQ(outcome_of("state = {\"calls\": 0}\n"
                       "def late():\n"
                       "    state[\"calls\"] += 1\n"
                       "    return now() >= 2000\n"
                       "wait_until(late, within = \"2s\", every = \"1500ms\")\n"
                       "assert_eq(state[\"calls\"], 3)"),
            "completed");
}

TEST_F(Words, WaitUntilWantsAFunction) {
  EXPECT_THAT(outcome_of("wait_until(True)"), HasSubstr("got bool, want a function"));
  EXPECT_THAT(outcome_of("wait_until(lambda: 1 // 0)"), HasSubstr("division by zero"));
  EXPECT_THAT(outcome_of("wait_until(lambda: 1, every = \"0s\")"), HasSubstr("every= is zero"));
}

TEST_F(Words, RandRepeatsWithTheSeedOfTheRun) {
  const std::string body =
      "print([rand(1000), rand([\"a\", \"b\", \"c\"]), int(rand() * 1000)] + "
      "parallel(lambda: rand(1000), lambda: rand(1000)))";
  EXPECT_EQ(outcome_of(body), "completed");
  EXPECT_EQ(outcome_of(body), "completed");
  host_.run_seed = 2;
  EXPECT_EQ(outcome_of(body), "completed");
  ASSERT_EQ(printed_.size(), 3U);
  EXPECT_EQ(printed_[0], printed_[1]);
  EXPECT_NE(printed_[0], printed_[2]);
  EXPECT_EQ(outcome_of("seen = set([rand(3) for _ in range(100)])\n"
                       "assert_eq(sorted(seen), [0, 1, 2])\n"
                       "assert_true(all([0 <= rand() and rand() < 1 for _ in range(100)]))"),
            "completed");
  EXPECT_THAT(outcome_of("rand(0)"), HasSubstr("it draws from 1 to"));
  EXPECT_THAT(outcome_of("rand([])"), HasSubstr("nothing to draw from"));
}

TEST_F(Words, LogIsAnEventAndAttachAFile) {
  EXPECT_EQ(
      outcome_of("log(\"orders\", 3, path = \"/orders\", tries = 2)\n"
                 "seen = events(type = \"log\", where = lambda e: e[\"path\"] == \"/orders\")\n"
                 "assert_eq([(e.body, e[\"tries\"], e.service) for e in seen], [(\"orders 3\", 2, "
                 "\"test\")])\n"
                 "assert_eq(attach(\"a.txt\", \"text\"), \"a.txt\")\n"
                 "attach(\"rows\", [{\"n\": 1}])\n"
                 "attach(\"reply\", api.get(path = \"/\"))"),
      "completed");
  EXPECT_EQ(host_.attached, (std::vector<std::pair<std::string, std::string>>{
                                {"a.txt", "text"}, {"rows", "[{\"n\":1}]"}, {"reply", "ok"}}));
  EXPECT_EQ(spec_->take_notes().at(0), "attached a.txt (4 bytes): a.txt");
  host_.attach_result = fail(Code::kLimit, "too much");
  EXPECT_THAT(outcome_of("attach(\"a\", \"b\")"), HasSubstr("too much"));
  EXPECT_THAT(outcome_of("attach(\"\", \"b\")"), HasSubstr("the name is empty"));
  EXPECT_THAT(outcome_of("log()"), HasSubstr("nothing to say"));
}

TEST_F(Words, ExpectationsAreFunctionsOfAResult) {
  host_.on_step = [](const StepCall& call) {
    const bool fails = std::get<HttpStep>(call.step).path == "/bad";
    return StepReply{.ok = !fails,
                     .status = fails ? 503 : 200,
                     .body = fails ? "disk full" : "[1]",
                     .data = {.text = fails ? "" : "[1]"},
                     .took = std::chrono::milliseconds(700)};
  };
  EXPECT_EQ(outcome_of("good, bad = api.get(path = \"/\"), api.get(path = \"/bad\")\n"
                       "expect_ok()(good)\n"
                       "expect_status(201, \"2xx\")([good, good])\n"
                       "expect_status(\"5xx\")(bad)\n"
                       "expect_error(message = \"disk*\")(bad)\n"
                       "expect_data([1])(good)\n"
                       "expect_within(\"1s\")(bad)\n"
                       "expect_all(expect_ok(), expect_within(\"1s\"))(good)"),
            "completed");
  const auto of_bad = [this](const std::string& expectation) {
    return outcome_of(expectation + "(api.get(path = \"/bad\"))");
  };
  EXPECT_EQ(of_bad("expect_ok()"),
            "4:5-16 expect_ok: expected an answer that is ok, got <response 503, 700 ms>");
  EXPECT_THAT(of_bad("expect_status(200, \"4xx\")"), HasSubstr("expected status 200, 4xx, got"));
  EXPECT_THAT(of_bad("expect_error(\"53100\")"), HasSubstr("expected an error with code 53100"));
  EXPECT_THAT(of_bad("expect_error(message = \"x*\")"), HasSubstr("an error that says x*"));
  EXPECT_THAT(of_bad("expect_within(\"500ms\")"), HasSubstr("expected an answer within 0.5 s"));
  EXPECT_THAT(of_bad("expect_all(expect_error(), expect_ok())"), HasSubstr("expect_ok: expected"));
  EXPECT_THAT(outcome_of("expect_error()(api.get(path = \"/\"))"), HasSubstr("expected an error"));
  EXPECT_THAT(outcome_of("expect_data([2])(api.get(path = \"/\"))"),
              HasSubstr("expect_data: expected [2], got [1]"));
  EXPECT_THAT(outcome_of("expect_ok()([api.get(path = \"/\"), api.get(path = \"/bad\")])"),
              HasSubstr("expected an answer that is ok"));
  EXPECT_THAT(outcome_of("expect_ok()(1)"), HasSubstr("expected a response, got 1"));
  EXPECT_THAT(outcome_of("expect_status(\"503\")"), HasSubstr("want a status such as 503"));
}

TEST_F(Words, AnExpectationJudgesAScenario) {
  const Spec& spec = load(
      "def ask():\n    return api.get(path = \"/\")\n"
      "fault_scenario(\"x\", scenario = ask, expect = expect_status(\"5xx\"))\n");
  ASSERT_EQ(spec.tests().size(), 1U);
  const BodyResult result = spec_->run_test("x", host_);
  EXPECT_FALSE(result.completed);
  EXPECT_EQ(shown(*result.finding),
            "5:46-66 expect_status: expected status 5xx, got <response 200, 7 ms>");
}

TEST_F(Words, HttpStepsTakeJsonAndAQuery) {
  EXPECT_EQ(
      outcome_of("api.post(path = \"/a\", json = {\"n\": [1, None]})\n"
                 "api.patch(path = \"/a?x=1\", query = {\"q\": \"a b&\\u00e9\", \"t\": [1, 2]})\n"
                 "api.head(path = \"/a\", query = {})\n"
                 "api.put(path = \"/a\", json = None, headers = {\"content-type\": \"text/x\"})"),
      "completed");
  const auto step = [this](std::size_t i) { return std::get<HttpStep>(host_.steps.at(i).step); };
  EXPECT_EQ(step(0).body, "{\"n\":[1,null]}");
  EXPECT_EQ(step(0).headers.at(0).second, "application/json");
  EXPECT_EQ(step(1).method, "PATCH");
  EXPECT_EQ(step(1).path, "/a?x=1&q=a%20b%26%C3%A9&t=1&t=2");
  EXPECT_EQ(step(2).method, "HEAD");
  EXPECT_EQ(step(2).path, "/a");
  EXPECT_EQ(step(3).body, "null");
  EXPECT_EQ(step(3).headers.size(), 1U);
  EXPECT_THAT(outcome_of("api.post(path = \"/\", body = \"x\", json = 1)"),
              HasSubstr("body= and json= are both given"));
  EXPECT_THAT(outcome_of("api.get(path = \"/\", query = \"x\")"), HasSubstr("query= is a dict"));
}

TEST_F(Words, SqlStepsTakeParamsAndGiveTheOnlyRow) {
  std::string rows = "[{\"n\": 3}]";
  host_.on_step = [&rows](const StepCall&) {
    return StepReply{.ok = true, .data = {.text = rows}};
  };
  EXPECT_EQ(
      outcome_of("r = db.main.query(sql = \"SELECT $1\", params = [1, None, True, {\"a\": 1}])\n"
                 "assert_eq(r.one(), {\"n\": 3})\n"
                 "assert_eq(r.value(), 3)"),
      "completed");
  EXPECT_EQ(std::get<SqlStep>(host_.steps.at(0).step).params,
            (std::vector<std::optional<std::string>>{"1", std::nullopt, "True", "{\"a\":1}"}));
  rows = "[]";
  EXPECT_THAT(outcome_of("db.main.query(sql = \"S\").one()"),
              HasSubstr("there are 0 rows, not one"));
  rows = "[{\"a\": 1, \"b\": 2}]";
  EXPECT_THAT(outcome_of("db.main.query(sql = \"S\").value()"), HasSubstr("several columns"));
  rows = "7";
  EXPECT_THAT(outcome_of("db.main.exec(sql = \"S\").one()"), HasSubstr("has no rows"));
  EXPECT_THAT(outcome_of("db.main.query(sql = \"S\", params = 1)"), HasSubstr("params= is a list"));
}

}  // namespace
}  // namespace misrule::dsl
