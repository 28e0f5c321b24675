// Filters that could never match are errors, and what a filter speaks of is recorded.

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using Filters = SpecTest;

std::string in_test(std::string_view line) { return fmt::format("def test_x():\n    {}\n", line); }

TEST_F(Filters, AFieldThatTheTypeHasNotIsFoundAtLoad) {
  EXPECT_EQ(only_problem(in_test("assert_never(type = \"proxy\", where = {\"statuss\": 200})"))
                .substr(0, 105),
            "4:43-57 this filter matches nothing: a proxy event has no field \"statuss\" (did you "
            "mean status?) [it has ");
  EXPECT_EQ(only_problem(in_test("events(where = {\"type\": \"lifecycle\", \"path\": \"/*\"})")),
            "4:42-54 this filter matches nothing: a lifecycle event has no field \"path\" [it has "
            "action, pid, duration_ms, code, signal, explained_by, rule, detail, about, observer, "
            "events, lag_ms]");
  // The controls: its own field, a field of every event, and a member of what it carries.
  load(in_test("assert_never(type = \"proxy\", where = {\"status\": 200, \"number\": 1})"));
  load(in_test("assert_never(type = \"stdout\", where = {\"anything\": 200})"));
  load(in_test("assert_never(where = {\"statuss\": 200})"));
}

TEST_F(Filters, AShortNameIsGuessedToo) {
  EXPECT_NE(only_problem(in_test("events(service = \"ap\")")).find("(did you mean api?)"),
            std::string::npos);
}

TEST_F(Filters, AValueThatAFieldNeverHasIsFoundAtLoad) {
  EXPECT_EQ(
      only_problem(in_test("assert_never(type = \"proxy\", where = {\"action\": \"erorr\"})")),
      "4:43-60 this filter matches nothing: the action of a proxy event is never \"erorr\" "
      "(did you mean error?) [it is one of forward, error, delay, drop, link, respond, "
      "rewrite, duplicate, corrupt, truncate, hold, held, opaque, released, skipped, "
      "tls_failed]");
  EXPECT_NE(
      only_problem(in_test("assert_never(type = \"lifecycle\", where = {\"action\": \"exitted\"})"))
          .find("did you mean exited?"),
      std::string::npos);
  EXPECT_NE(only_problem(in_test("assert_never(type = \"stdout\", where = {\"stream\": \"err*\"})"))
                .find("it is one of stdout, stderr"),
            std::string::npos);
  load(in_test("assert_never(type = \"lifecycle\", where = {\"action\": \"e*d\"})"));
}

TEST_F(Filters, PartsThatExcludeEachOtherAreFoundAtLoad) {
  EXPECT_EQ(only_problem(
                in_test("assert_never(type = \"proxy\", where = lambda e: e.type == \"stdout\")")),
            "4:52-70 this filter matches nothing: no event is both a proxy and a stdout event [the "
            "parts of a filter must all hold]");
  EXPECT_EQ(only_problem(in_test("assert_never(type = \"stdout\", where = {\"type\": \"proxy\"})")),
            "4:52-59 this filter matches nothing: no event is both a stdout and a proxy event "
            "[the parts of a filter must all hold]");
  EXPECT_EQ(only_problem(in_test("events(type = \"stdout\", service = \"api\", "
                                 "where = lambda e: e.service == \"postgres\")")),
            "4:64-87 this filter matches nothing: no event is of service \"api\" and of service "
            "\"postgres\" [the parts of a filter must all hold]");
  EXPECT_EQ(only_problem(
                in_test("events(where = lambda e: e.type == \"proxy\" and e.type == \"stdout\")")),
            "4:52-70 this filter matches nothing: no event is both a proxy and a stdout event "
            "[the parts of a filter must all hold]");
  // The control: a message has two ends.
  load(in_test("events(service = \"api\", where = lambda e: e.service == \"postgres\")"));
  load(in_test("events(type = \"proxy\", service = \"api\", where = {\"service\": \"postgres\"})"));
}

TEST_F(Filters, WhatLoadingCannotSeeIsFoundWhenItRuns) {
  EXPECT_EQ(outcome_of("wanted = {\"actoin\": \"x\"}\nevents(type = \"proxy\", where = wanted)")
                .substr(0, 60),
            "5:5-43 events: a proxy event has no field \"actoin\" (did you ");
  EXPECT_EQ(outcome_of("wanted = {\"type\": \"proxy\"}\nevents(type = \"stdout\", where = wanted)"),
            "5:5-44 events: no event is both a stdout and a proxy event [the parts of a filter "
            "must all hold]");
  EXPECT_EQ(outcome_of("wanted = {\"type\": \"step_*\"}\nevents(where = wanted)"), "completed");
}

/// Which rules without an action a body has armed.
std::string recorded(RecordingHost& host) {
  std::string text;
  for (const std::string& line : host.log()) {
    if (line.starts_with("arm ")) text += line.substr(4);
  }
  return text;
}

TEST_F(Filters, WithoutAFamilyAllAreRecorded) {
  EXPECT_EQ(outcome_of("assert_never(type = \"syscall\", service = \"api\", "
                       "where = lambda e: e.name == \"openat\")"),
            "completed");
  EXPECT_EQ(recorded(host_),
            "recording/api/connect, recording/api/fsync, recording/api/open, recording/api/read, "
            "recording/api/write");
  EXPECT_EQ(spec_->families_of("api").size(), 5U);
  EXPECT_EQ(spec_->families_of("postgres").size(), 1U);
}

TEST_F(Filters, ADictsFamiliesAreRecorded) {
  run_body("assert_never(type = \"syscall\", service = \"api\", where = {\"name\": \"write\"})");
  EXPECT_NE(recorded(host_).find("recording/api/write"), std::string::npos);
}

TEST_F(Filters, AGlobOfFamiliesRecordsThese) {
  run_body("assert_never(service = \"api\", where = {\"type\": \"syscall\", \"syscall\": \"f*\"})");
  EXPECT_EQ(recorded(host_), "recording/api/fsync");
}

TEST_F(Filters, ACallsDestinationMeansConnect) {
  run_body("assert_never(type = \"syscall\", service = \"api\", where = lambda e: e.to == \"x\")");
  EXPECT_EQ(recorded(host_), "recording/api/connect");
}

TEST_F(Filters, WhatARuleActedOnIsAnEventAnyway) {
  run_body(
      "assert_never(where = lambda e: e.type == \"syscall\" and e.decision.startswith(\"deny\"))\n"
      "assert_never(where = {\"type\": \"syscall\", \"decision\": \"deny*\"})\n"
      "assert_never(type = \"syscall\", where = lambda e: e.undeclared)");
  EXPECT_TRUE(result_.completed);
  EXPECT_EQ(recorded(host_), "");
}

}  // namespace
}  // namespace misrule::dsl
