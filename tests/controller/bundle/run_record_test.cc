#include "controller/bundle/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/bundle/secret_mask.h"

namespace misrule::controller {
namespace {

using model::Event;
using testing::ElementsAre;
using testing::HasSubstr;

Event request(const char* path, std::int64_t status, const char* rule = "") {
  Event event = {.service = "api", .type = "proxy"};
  event.set("to", std::string("billing")).set("path", std::string(path)).set("status", status);
  if (*rule != '\0') event.set("rule", std::string(rule)).set("decision", std::string("error"));
  return event;
}

TestRecord test_of(const char* verdict, const std::vector<Event>& events) {
  return {.file = "s.star", .name = "test_a", .verdict = verdict, .events = [events] {
            return events;
          }};
}

RunRecord run_of(const char* name, TestRecord test) { return {.name = name, .tests = {test}}; }

TEST(RunRecord, WhatDiffersFromRunToRunIsNotCompared) {
  Event one = request("/a", 200);
  one.number = 7;
  one.time_ns = 1;
  one.clock = {{"api", 1}};
  one.set("duration_ms", std::int64_t{3}).set("connection", std::string("api#1"));
  Event two = request("/a", 200);
  two.set("duration_ms", std::int64_t{9}).set("connection", std::string("api#4"));
  EXPECT_EQ(essence_of(one), essence_of(two));
  EXPECT_NE(essence_of(one), essence_of(request("/a", 500)));
  EXPECT_NE(essence_of(one), essence_of(request("/b", 200)));
  EXPECT_EQ(essence_of({.service = "api", .type = "stdout"}), "");
}

TEST(RunRecord, HowOftenMatters) {
  const Event a = request("/a", 200);
  const RunRecord left = run_of("A", test_of("passed", {a, request("/b", 200), a, a}));
  const RunRecord right = run_of("B", test_of("passed", {a, request("/b", 200)}));
  EXPECT_THAT(diff_runs(left, right).lines,
              ElementsAre("test_a: passed in both",
                          AllOf(HasSubstr("first only in A: api proxy to=billing path=/a"),
                                HasSubstr("(and 1 more)"))));
}

TEST(RunRecord, RunsThatDifferOnlyInOrderAreTheSame) {
  const RunRecord left = run_of("A", test_of("passed", {request("/a", 200), request("/b", 200)}));
  const RunRecord right = run_of("B", test_of("passed", {request("/b", 200), request("/a", 200)}));
  const RunDifference found = diff_runs(left, right);
  EXPECT_THAT(found.lines, ElementsAre());
  EXPECT_EQ(found.tests, 1U);
  EXPECT_EQ(found.essences, 2U);
}

TEST(RunRecord, AVerdictAndTheFirstEventThatDiffersAreTold) {
  RunRecord left = run_of("A", test_of("passed", {request("/a", 200), request("/b", 200)}));
  RunRecord right = run_of("B", test_of("failed", {request("/a", 200), request("/b", 500)}));
  right.tests[0].reason = "expected 200";
  EXPECT_THAT(diff_runs(left, right).lines,
              ElementsAre("test_a: passed -> failed", "    + expected 200",
                          AllOf(HasSubstr("first only in A: api proxy to=billing path=/b"),
                                HasSubstr("status=200")),
                          AllOf(HasSubstr("first only in B"), HasSubstr("status=500"))));
}

TEST(RunRecord, ATestOfOneRunAloneIsTold) {
  const RunRecord left = run_of("A", test_of("passed", {}));
  EXPECT_THAT(diff_runs(left, {.name = "B"}).lines, ElementsAre("test_a: passed, only in A"));
  EXPECT_THAT(diff_runs({.name = "B"}, left).lines, ElementsAre("test_a: passed, only in A"));
}

TEST(RunRecord, S0_22_AReplayIsComparedByItsDecisions) {
  const RunRecord first =
      run_of("the bundle", test_of("passed", {request("/a", 500, "r"), request("/b", 200)}));
  const RunRecord same =
      run_of("the replay", test_of("passed", {request("/c", 201), request("/a", 500, "r")}));
  EXPECT_THAT(diff_decisions(first, same).lines, ElementsAre());
  const RunRecord silent = run_of("the replay", test_of("passed", {request("/a", 200)}));
  EXPECT_THAT(diff_decisions(first, silent).lines,
              ElementsAre("test_a: passed in both", HasSubstr("first only in the bundle: api"),
                          "    in its place in the replay: nothing, r acted 0× there and 1× in "
                          "the bundle"));
}

Event insert(std::uint64_t number, const char* statement, const char* rule) {
  Event event = {.number = number, .service = "api", .type = "proxy"};
  event.time_ns = static_cast<std::int64_t>(number) * 1'000'000;
  return event.set("statement", std::string(statement)).set("rule", std::string(rule));
}

TEST(RunRecord, WhereAReplayDivergesBothDecisionsAreTold) {
  const RunRecord first = run_of(
      "the bundle",
      test_of("passed", {insert(3, "INSERT INTO a", "r"), insert(4, "INSERT INTO a", "other"),
                         insert(5, "INSERT INTO b", "r")}));
  const RunRecord again =
      run_of("the replay",
             test_of("passed", {insert(4, "INSERT INTO a", "other"),
                                insert(6, "INSERT INTO a", "r"), insert(8, "INSERT INTO c", "r")}));
  EXPECT_THAT(
      diff_decisions(first, again).lines,
      ElementsAre("test_a: passed in both",
                  "    first only in the bundle: api proxy statement=INSERT INTO b rule=r "
                  "(event 5, 0.005 s)",
                  "    in its place in the replay: api proxy statement=INSERT INTO c rule=r "
                  "(event 8, 0.008 s)"));
  const RunRecord fewer = run_of("the replay", test_of("passed", {first.tests[0].events()[1]}));
  EXPECT_THAT(diff_decisions(fewer, first).lines,
              ElementsAre("test_a: passed in both",
                          AllOf(HasSubstr("first only in the bundle: "), HasSubstr("event 3"),
                                HasSubstr("(and 1 more)")),
                          "    in its place in the replay: nothing, r acted 0× there and 2× in "
                          "the bundle"));
}

TEST(RunRecord, HostileJsonIsRefused) {
  for (const char* wrong : {"", "[]", "{", "{}", R"({"schema":"misrule.run/2","tests":[]})",
                            R"({"schema":"misrule.run/1","tests":[1]})"}) {
    EXPECT_FALSE(record_of_json(wrong, [](auto, const auto& said) { return said; })) << wrong;
  }
}

TEST(SecretMask, NamesTellWhatIsSecret) {
  for (const char* name : {"API_TOKEN", "DB_PASSWORD", "secretary_secret", "AWS_ACCESS_KEY"}) {
    EXPECT_TRUE(names_a_secret(name)) << name;
  }
  for (const char* name : {"BUG", "PATH", "KEYBOARD", "N"}) EXPECT_FALSE(names_a_secret(name));
}

TEST(SecretMask, AValueIsMaskedHoweverItIsSpelled) {
  SecretMask mask;
  mask.add_secrets({{"API_TOKEN", "it's<\"x\">"}, {"BUG", "visible"}, {"A_KEY", "abc"}});
  EXPECT_EQ(mask.masked("it's<\"x\"> visible abc"), "*** visible abc");
  EXPECT_EQ(mask.masked(R"("it's<\"x\">")"), "\"***\"");
  EXPECT_EQ(mask.masked("it&#39;s&lt;&quot;x&quot;&gt;"), "***");
  EXPECT_EQ(mask.masked("'it'\\''s<\"x\">'"), "'***'");
  EXPECT_EQ(mask.masked(R"("'it'\\''s<\"x\">'")"), "\"'***'\"") << "a command, in JSON";
}

TEST(SecretMask, ASecretWithinAnotherHidesBoth) {
  SecretMask mask;
  mask.add("abcd");
  mask.add("abcdefgh");
  EXPECT_EQ(mask.masked("abcdefgh abcd"), "*** ***");
}

}  // namespace
}  // namespace misrule::controller
