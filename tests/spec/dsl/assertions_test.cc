// assert_*, events() and fail(): messages, positions, and what flips them.

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using Assertions = SpecTest;
using model::Event;
using Lines = std::vector<std::string>;

Event proxied(const std::string& query, const std::string& action) {
  Event event{.service = "api", .type = "proxy"};
  event.set("to", std::string("postgres")).set("query", query).set("action", action);
  return event;
}

TEST_F(Assertions, EqualitySaysWhichIsExpected) {
  EXPECT_EQ(outcome_of("assert_eq(1 + 1, 2)\nassert_eq(\"a\", \"a\", \"m\")"), "completed");
  EXPECT_EQ(outcome_of("rows = [{\"n\": 2}]\nassert_eq(rows[0][\"n\"], 1, \"payments charged\")"),
            "5:5-14 assert_eq: payments charged: expected 1, got 2");
  EXPECT_EQ(result_.finding->source_line, "    assert_eq(rows[0][\"n\"], 1, \"payments charged\")");
  EXPECT_EQ(result_.finding->detail, Lines{"rows[0][\"n\"] is 2"});
  EXPECT_EQ(outcome_of("r = api.get(path = \"/\")\nassert_eq(r.status, 503)"),
            "5:5-14 assert_eq: r.status: expected 503, got 200");
  EXPECT_EQ(outcome_of("assert_eq(\"1\", 1)"), "4:5-14 assert_eq: \"1\": expected 1, got \"1\"");
  const std::string longer = outcome_of("assert_eq(\"x\" * 1000, \"\")");
  EXPECT_LT(longer.size(), 600U);
  EXPECT_NE(longer.find("..."), std::string::npos);
  EXPECT_EQ(outcome_of("assert_eq(1)"),
            "4:5-14 assert_eq: missing argument for b [it takes: a, b, msg]");
}

TEST_F(Assertions, TruthShowsItsSource) {
  EXPECT_EQ(outcome_of("assert_true([0])\nassert_true(\"x\", \"m\")"), "completed");
  EXPECT_EQ(outcome_of("r = api.get(path = \"/\")\nassert_true(r.status in [503, 504])"),
            "5:5-16 assert_true: r.status in [503, 504] is False");
  EXPECT_EQ(
      outcome_of(
          "r = api.get(path = \"/\")\nassert_true(r.status > 500, \"answered %d\" % r.status)"),
      "5:5-16 assert_true: answered 200");
  EXPECT_EQ(result_.finding->detail, Lines{"r.status > 500 is False"});
  EXPECT_EQ(outcome_of("assert_true([])"), "4:5-16 assert_true: [] is []");
}

TEST_F(Assertions, FailFails) {
  const std::string outcome = outcome_of("fail(\"violated\")");
  EXPECT_NE(outcome.find("violated"), std::string::npos) << outcome;
}

TEST_F(Assertions, AHelpersCallersAreInTheBacktrace) {
  const Spec& spec = load("def check(n):\n    assert_eq(n, 1)\ndef test_x():\n    check(2)\n");
  result_ = spec_->run_test("test_x", host_);
  EXPECT_EQ(shown(*result_.finding), "4:5-14 assert_eq: n: expected 1, got 2");
  const std::string detail = fmt::format("{}", fmt::join(result_.finding->detail, "\n"));
  EXPECT_NE(detail.find("check called at " + folder_ + "/spec.star:6:5 in test_x"),
            std::string::npos)
      << detail;
  EXPECT_EQ(spec.tests().size(), 1U);
}

TEST_F(Assertions, EventuallyTakesWhatHasHappened) {
  host_.happen(proxied("INSERT INTO t", "error"));
  EXPECT_EQ(outcome_of("e = assert_eventually(type = \"proxy\", where = lambda e: \"INSERT\" in "
                       "e.data.get(\"query\", \"\") and e.data.get(\"action\") == \"error\")\n"
                       "assert_eq(e.number, 1)"),
            "completed");
}

TEST_F(Assertions, EventuallyWaitsForWhatIsStillToHappen) {
  host_.happen(proxied("SELECT", "forward"));
  host_.happen_after(std::chrono::seconds(4), proxied("INSERT", "forward"));
  EXPECT_EQ(outcome_of("assert_eventually(where = lambda e: e.query == \"INSERT\")"), "completed");
  // The control: the same with less patience.
  host_.happen_after(std::chrono::seconds(4), proxied("DELETE", "forward"));
  EXPECT_EQ(
      outcome_of("assert_eventually(where = lambda e: e.query == \"DELETE\", within = \"3s\")"),
      "4:5-22 assert_eventually: no event matched within 3 s");
  EXPECT_EQ(result_.finding->detail,
            (Lines{"2 events were looked at: 2 proxy",
                   "a liveness property: what has to happen did not, in its time"}));
  EXPECT_EQ(
      outcome_of("assert_eventually(where = lambda e: e.query == \"DELETE\", msg = \"deleted\", "
                 "within = \"500ms\")"),
      "4:5-22 assert_eventually: deleted: no event matched within 500 ms");
}

TEST_F(Assertions, EventuallyIsUndecidedWhenItsWaitIsCutShort) {
  load("def test_x():\n    assert_eventually(where = lambda e: e.query == \"INSERT\")\n");
  host_.on_wait = [&] { spec_->cancel("the deadline passed"); };
  result_ = spec_->run_test("test_x", host_);
  EXPECT_TRUE(result_.cancelled);
  EXPECT_TRUE(result_.undecided);
  EXPECT_FALSE(result_.completed);
  // Whoever is cancelled before it waits has decided nothing, and leaves nothing undecided.
  result_ = spec_->run_test("test_x", host_);
  EXPECT_TRUE(result_.cancelled);
  EXPECT_FALSE(result_.undecided);
}

TEST_F(Assertions, NeverDecidesAfterTheBarrier) {
  host_.happen(proxied("SELECT", "forward"));
  EXPECT_EQ(outcome_of("assert_never(where = lambda e: e.query == \"INSERT\")"), "completed");
  EXPECT_EQ(host_.log(), Lines{"barrier"});
  const Lines notes = spec_->take_notes();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_TRUE(notes[0].ends_with("spec.star:4: assert_never looked at 1 events: 1 proxy"))
      << notes[0];
  host_.happen(proxied("INSERT", "forward"));
  EXPECT_EQ(
      outcome_of("assert_never(where = lambda e: e.query == \"INSERT\")"),
      "4:5-17 assert_never: event 2 matches: api proxy to=postgres query=INSERT action=forward");
  EXPECT_EQ(outcome_of("assert_never(type = \"proxy\", msg = \"no traffic\")"),
            "4:5-17 assert_never: no traffic");
  EXPECT_EQ(result_.finding->detail,
            (Lines{"event 1 matches: api proxy to=postgres query=SELECT action=forward",
                   "a safety property: what may not happen did"}));
}

TEST_F(Assertions, NeverIsUndecidedWhenTheBarrierIsNotPassed) {
  host_.barrier_status = fail(Code::kTimeout, "postgres has not caught up");
  EXPECT_EQ(outcome_of("assert_never(type = \"proxy\")"),
            "4:5-17 assert_never: undecided: postgres has not caught up");
  EXPECT_TRUE(result_.undecided);
  host_.barrier_status = fail(Code::kIo, "gone");
  run_body("assert_never(type = \"proxy\")");
  EXPECT_TRUE(result_.infrastructure);
}

TEST_F(Assertions, EventuallyLooksOnceMoreWhenAllIsRecorded) {
  const std::string wait = "assert_eventually(type = \"proxy\")";
  EXPECT_EQ(outcome_of(wait), "4:5-22 assert_eventually: no event matched within 5 s");
  host_.barrier_status = fail(Code::kTimeout, "postgres has not caught up");
  EXPECT_EQ(outcome_of(wait), "4:5-22 assert_eventually: undecided: postgres has not caught up");
  EXPECT_TRUE(result_.undecided);
  host_.barrier_status = {};
  host_.on_barrier = [this] { host_.happen({.service = "api", .type = "proxy"}); };
  EXPECT_EQ(outcome_of(wait), "completed");
}

TEST_F(Assertions, OutputThatIsNotRecordedDecidesNothing) {
  Event line{.service = "api", .type = "stdout"};
  line.set("body", std::string("ready")).set("stream", std::string("stdout"));
  host_.happen(line);
  const std::string never = "assert_never(type = \"stdout\", where = {\"body\": \"panic*\"})";
  const std::string wait = "assert_eventually(type = \"stdout\", where = {\"body\": \"panic*\"})";
  EXPECT_EQ(outcome_of(never), "completed") << "the control";
  EXPECT_EQ(outcome_of(wait), "4:5-22 assert_eventually: no event matched within 5 s");
  EXPECT_FALSE(result_.undecided);
  Event cut{.service = "api", .type = "lifecycle"};
  cut.set("action", std::string("output_cut")).set("detail", std::string("more than 2 lines"));
  host_.happen(cut);
  for (const std::string& body :
       {never, wait, std::string("events(type = \"stdout\")"),
        std::string("assert_never(service = \"api\", where = lambda e: e.body == \"panic\")"),
        std::string("assert_never(where = {\"type\": \"std*\", \"body\": \"p*\"})")}) {
    EXPECT_NE(outcome_of(body).find("undecided: not all that api printed is recorded: more than 2"),
              std::string::npos)
        << outcome_of(body);
    EXPECT_TRUE(result_.undecided) << body;
  }
  // What is there is there, and what speaks of something else is decided.
  for (const char* body :
       {"assert_eventually(type = \"stdout\", where = {\"body\": \"ready\"})",
        "assert_never(type = \"proxy\")", "assert_never(service = \"postgres\")",
        "assert_never(where = {\"type\": \"proxy\"})",
        "assert_never(type = \"stdout\", where = {\"service\": \"postgres\"})"}) {
    EXPECT_EQ(outcome_of(body), "completed") << body;
  }
}

// What an observer may have missed proves nothing, and nothing about anything else.
TEST_F(Assertions, AGapOfAnObserverLeavesItsTypeUndecided) {
  const std::string spec =
      "cache = service(\"cache\", interface(\"r\", \"redis\", 6379), image = \"redis:7\",\n"
      "                observe = [keyspace(), pubsub(\"*\")])\n";
  const auto outcome = [&](const std::string& body) {
    load(spec + "def test_x():\n    " + body + "\n");
    result_ = spec_->run_test("test_x", host_);
    return result_.finding ? result_.finding->message : std::string("completed");
  };
  const std::string never = "assert_never(type = \"keyspace\", where = {\"key\": \"z\"})";
  EXPECT_EQ(outcome(never), "completed") << "the control";
  Event gap{.service = "cache", .type = "lifecycle"};
  gap.set("action", std::string("gap")).set("about", std::string("keyspace"));
  gap.set("detail", std::string("the connection was lost"));
  host_.happen(gap);
  EXPECT_EQ(outcome(never),
            "assert_never: undecided: not all keyspace events of cache are recorded: the "
            "connection was lost");
  EXPECT_TRUE(result_.undecided);
  EXPECT_EQ(outcome("assert_never(type = \"pubsub\")"), "completed");
  EXPECT_EQ(outcome("assert_never(type = \"stdout\")"), "completed");
}

TEST_F(Assertions, EventsAreAList) {
  host_.happen(proxied("SELECT", "forward"));
  host_.happen(proxied("INSERT", "error"));
  EXPECT_EQ(
      outcome_of(
          "assert_eq(len(events()), 2)\n"
          "assert_eq([e.query for e in events(where = lambda e: e.action == \"error\")], "
          "[\"INSERT\"])\n"
          "assert_eq(len(events(service = api)), 2)\nassert_eq(len(events(service = db)), 2)\n"
          "assert_eq(len(events(type = \"stdout\")), 0)\n"
          "assert_eq(len(events(where = {\"query\": \"INS*\", \"service\": \"postgres\"})), 1)\n"
          "assert_eq(len(events(where = {\"query\": \"INS*\", \"action\": \"forward\"})), 0)"),
      "completed");
}

TEST_F(Assertions, AFilterCannotAct) {
  host_.happen(proxied("SELECT", "forward"));
  EXPECT_EQ(outcome_of("events(where = lambda e: api.get(path = \"/\").ok)"),
            "4:34-37 get cannot be called in a filter of events");
}

TEST_F(Assertions, AFilterThatFailsFailsTheTest) {
  host_.happen(proxied("SELECT", "forward"));
  EXPECT_EQ(outcome_of("assert_never(where = lambda e: e.qurey == \"x\")").substr(0, 60),
            "4:38-43 proxy event has no .qurey (did you mean query?) [it ");
  EXPECT_EQ(outcome_of("assert_never(where = lambda: True)"),
            "4:5-17 assert_never: where= is a function of one event, or a dict");
  EXPECT_EQ(outcome_of("assert_never()"),
            "4:5-17 assert_never: says nothing about events: where=, type= or service=");
}

// Found before anything starts.
TEST_F(Assertions, FiltersThatMatchNothingAreFoundAtLoad) {
  const std::pair<const char*, const char*> kMistakes[] = {
      {"assert_eventually(type = \"wal\")",
       "4:30-35 this filter matches nothing: no source of this spec produces \"wal\" events "
       "[give the database observe=[wal_stream()]]"},
      {"assert_never(where = lambda e: e.type == \"prxy\" and e.query == \"x\")",
       "4:36-52 this filter matches nothing: there are no \"prxy\" events (did you mean proxy?) "
       "[types: "
       "lifecycle, step_send, step_recv, proxy, syscall, stdout, log, attachment, "
       "stderr, file, "
       "wal, keyspace, poll, tail_http, pubsub]"},
      {"events(where = lambda e: e[\"service\"] == \"apy\")",
       "4:30-51 this filter matches nothing: no event is of service \"apy\" (did you mean api?) "
       "[services: test, postgres, api]"},
      {"events(where = lambda e: \"step_recv\" == e.get(\"type\") and e.service == \"api\")",
       "4:63-81 this filter matches nothing: a step_recv event never has service \"api\" [its "
       "service is "
       "\"test\"; the callee is in its field to]"},
      {"events(type = \"stdout\", where = lambda e: e.service == \"test\")",
       "4:47-66 this filter matches nothing: a stdout event never has service \"test\" [it is a "
       "service's own]"},
      {"events(where = {\"syscall\": \"wirte\"})",
       "4:32-39 this filter matches nothing: no event has the system call \"wirte\" (did you mean "
       "write?) [system calls: connect, read, write, fsync, open]"},
      {"events(where = lambda e: e.type == \"stdout\" and e.syscall == \"write\")",
       "4:53-73 this filter matches nothing: a stdout event has no syscall [type \"syscall\" has "
       "it]"},
      {"events(type = \"stdout\", service = \"test\")",
       "4:39-45 this filter matches nothing: a stdout event never has service \"test\" [it is a "
       "service's own]"},
      {"events(where = {\"type\": \"syscall\", \"service\": \"test\"})",
       "4:51-57 this filter matches nothing: a syscall event never has service \"test\" [it is a "
       "service's own]"},
      {"events(service = \"apy\")",
       "4:22-27 this filter matches nothing: no event is of service \"apy\" (did you mean api?) "
       "[services: test, postgres, api]"},
  };
  for (const auto& [body, problem] : kMistakes) {
    EXPECT_EQ(only_problem(fmt::format("def test_x():\n    {}\n", body)), problem) << body;
  }
}

TEST_F(Assertions, SystemCallsThatAFilterSpeaksOfAreRecorded) {
  load(
      "def check():\n"
      "    assert_never(where = lambda e: e.syscall == \"fsync\" and e.service == \"postgres\")\n"
      "def test_a():\n    check()\n    events(where = {\"syscall\": \"read\"})\n"
      "def test_b():\n    pass\n");
  EXPECT_TRUE(spec_->run_test("test_b", host_).completed);
  EXPECT_TRUE(host_.log().empty());
  EXPECT_TRUE(spec_->run_test("test_a", host_).completed);
  EXPECT_EQ(host_.log(), (Lines{"arm recording/postgres/read, recording/api/read, "
                                "recording/postgres/fsync",
                                "barrier", "barrier", "disarm 1"}));
  const model::Rule& rule = host_.armed[0][2];
  EXPECT_EQ(rule.action_case(), model::Rule::ACTION_NOT_SET);
  EXPECT_TRUE(rule.may_stay_unfired());
  EXPECT_EQ(rule.position().line(), 4U);
  host_.on_arm = [](const auto&) { return fail(Code::kIo, "no"); };
  EXPECT_TRUE(spec_->run_test("test_a", host_).infrastructure);
}

TEST_F(Assertions, WhatIsNotUnderstoodAtLoadIsNoError) {
  load(
      "def test_x():\n"
      "    events(where = lambda e: e.type != \"wal\" or e.type == \"nothing\")\n"
      "    events(where = lambda e: e.type in [\"wal\"] and not e.service == \"nobody\")\n"
      "    events(where = {\"service\": \"api\", \"type\": \"step_recv\"})\n"
      "    events(where = {\"type\": \"st*\"})\n");
  // When it runs, what a keyword says is known.
  EXPECT_EQ(outcome_of("for t in [\"wal\"]:\n    events(type = t)"),
            "5:9-25 events: no source of this spec produces \"wal\" events "
            "[give the database observe=[wal_stream()]]");
}

}  // namespace
}  // namespace misrule::dsl
