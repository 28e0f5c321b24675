// From the course of a test to its verdict, its story and its line of JSON.

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/run/judge.h"
#include "controller/run/report_bounds.h"
#include "controller/run/report_json.h"
#include "controller/run/story.h"

namespace misrule::controller {
namespace {

using model::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;

TestCourse completed() { return {.body = dsl::BodyResult{.completed = true}}; }

model::RuleReport rule(std::uint64_t fired, bool may_stay_unfired = false) {
  return {.id = "disk_full",
          .description = "write */pg_wal/* -> ENOSPC",
          .tally = {.considered = 312, .fired = fired, .near_misses = {"312x write to base/1"}},
          .may_stay_unfired = may_stay_unfired};
}

TEST(JudgeTest, ACompletedBodyPasses) {
  TestCourse course = completed();
  course.rules = {rule(1)};
  EXPECT_EQ(judge(course).outcome, Outcome::kPassed);
  EXPECT_TRUE(judge(course).findings.empty());
}

TEST(JudgeTest, S1_36_WhatMonitorsSayIsPartOfTheVerdict) {
  TestCourse course = completed();
  course.body->open = {{.message = "undecided"}};
  EXPECT_EQ(judge(course).outcome, Outcome::kInconclusive);
  course.body->violations = {{.message = "violated"}};
  const Judgement judgement = judge(course);
  EXPECT_EQ(judgement.outcome, Outcome::kFailed);
  ASSERT_EQ(judgement.findings.size(), 2U);
  EXPECT_EQ(judgement.findings[0].message, "violated");
  EXPECT_EQ(judgement.findings[1].message, "undecided");
}

TEST(JudgeTest, S1_29_OfOneFaultsRulesOneHasToFire) {
  TestCourse course = completed();
  course.rules = {rule(0), rule(0), rule(1)};
  course.rules[0].group = course.rules[1].group = "partition(api, db)";
  const Judgement judgement = judge(course);
  ASSERT_EQ(judgement.findings.size(), 1U);
  EXPECT_EQ(judgement.findings[0].message, "the fault never fired: partition(api, db)");
  EXPECT_THAT(judgement.findings[0].detail,
              ElementsAre("it was asked about 624 operations, 0 matched",
                          "nearest: 312x write to base/1", "nearest: 312x write to base/1"));
  course.rules[2].group = "partition(api, db)";
  EXPECT_EQ(judge(course).outcome, Outcome::kPassed);
}

TEST(JudgeTest, ARuleThatNeverFiredFailsWithTheNearestMiss) {
  TestCourse course = completed();
  course.rules = {rule(0)};
  const Judgement judgement = judge(course);
  EXPECT_EQ(judgement.outcome, Outcome::kFailed);
  ASSERT_EQ(judgement.findings.size(), 1U);
  EXPECT_THAT(judgement.findings[0].message, HasSubstr("never fired: write */pg_wal/*"));
  EXPECT_THAT(
      judgement.findings[0].detail,
      ElementsAre("it was asked about 312 operations, 0 matched", "nearest: 312x write to base/1"));
  course.rules = {rule(0, true)};
  EXPECT_EQ(judge(course).outcome, Outcome::kPassed);
}

TEST(JudgeTest, ARuleThatCutConnectionsHasActed) {
  TestCourse course = completed();
  course.rules = {rule(0)};
  course.rules[0].tally.connections_cut = 4;
  EXPECT_EQ(judge(course).outcome, Outcome::kPassed);
  course.rules[0].tally.connections_cut = 0;
  EXPECT_EQ(judge(course).outcome, Outcome::kFailed) << "there was nothing to cut";
}

TEST(JudgeTest, ARuleThatNeverFiredIsShownWhereItWasWritten) {
  TestCourse course = completed();
  course.rules = {rule(0)};
  course.rules[0].position = {.file = "a.star", .line = 3, .column = 5};
  course.rules[0].column_end = 9;
  course.rules[0].source_line = "    drop()";
  const Judgement judgement = judge(course);
  ASSERT_EQ(judgement.findings.size(), 1U);
  EXPECT_EQ(judgement.findings[0].position.line, 3U);
  EXPECT_EQ(judgement.findings[0].column_end, 9U);
  EXPECT_EQ(judgement.findings[0].source_line, "    drop()");
}

TEST(JudgeTest, TheFirstFindingDecidesAndTheOthersAreTold) {
  TestCourse course = {.body = dsl::BodyResult{.finding = model::Finding{.message = "assert_eq"}}};
  course.rules = {rule(0)};
  course.exits = {{.service = "api", .how = "exited with status 1", .last_lines = {"boom"}}};
  const Judgement judgement = judge(course);
  EXPECT_EQ(judgement.outcome, Outcome::kFailed);
  ASSERT_EQ(judgement.findings.size(), 3U);
  EXPECT_EQ(judgement.findings[0].message, "assert_eq");
  EXPECT_THAT(judgement.findings[1].message, HasSubstr("api exited with status 1"));
}

TEST(JudgeTest, AnExplainedExitIsPartOfTheExperiment) {
  TestCourse course = completed();
  course.exits = {{.service = "db", .how = "exited with status 1", .explained_by = "disk_full"}};
  EXPECT_EQ(judge(course).outcome, Outcome::kPassed);
  course.exits[0].explained_by.clear();
  EXPECT_EQ(judge(course).outcome, Outcome::kFailed);
}

TEST(JudgeTest, InfrastructureIsAnErrorWithTheLastLinesBelow) {
  TestCourse course = {.infrastructure = fail(Code::kIo, "api exited\nline 1\nline 2")};
  course.rules = {rule(0)};
  const Judgement judgement = judge(course);
  EXPECT_EQ(judgement.outcome, Outcome::kError);
  ASSERT_EQ(judgement.findings.size(), 1U) << "a rule that had no chance is not blamed";
  EXPECT_EQ(judgement.findings[0].message, "api exited");
  EXPECT_THAT(judgement.findings[0].detail, ElementsAre("line 1", "line 2"));
}

TEST(JudgeTest, AHostThatFailedInTheBodyIsAnErrorToo) {
  TestCourse course = {.body = dsl::BodyResult{.infrastructure = true}};
  EXPECT_EQ(judge(course).outcome, Outcome::kError);
}

TEST(JudgeTest, ADeadlineFailsAndAnUndecidedLivenessIsInconclusive) {
  TestCourse course = {.body = dsl::BodyResult{.cancelled = true},
                       .stop = Stop::kDeadline,
                       .pending = "GET / -> api",
                       .deadline = std::chrono::seconds(120)};
  EXPECT_EQ(judge(course).outcome, Outcome::kFailed);
  EXPECT_EQ(judge(course).findings[0].message, "the deadline of 120 s passed while GET / -> api");
  course.awaiting_event = true;
  EXPECT_EQ(judge(course).outcome, Outcome::kInconclusive);
  course.stop = Stop::kInterrupt;
  EXPECT_EQ(judge(course).outcome, Outcome::kInterrupted);
}

TEST(JudgeTest, AnAssertionThatCouldNotBeDecidedIsInconclusive) {
  dsl::BodyResult body = {.undecided = true, .finding = model::Finding{.message = "assert_never"}};
  EXPECT_EQ(judge({.body = body}).outcome, Outcome::kInconclusive);
  body.undecided = false;
  EXPECT_EQ(judge({.body = body}).outcome, Outcome::kFailed);
}

TEST(ReportJsonTest, EveryFieldSurvivesTheWay) {
  model::TestReport report = {.test = "test_it",
                              .description = "says \"so\"",
                              .spec = "a.star",
                              .outcome = Outcome::kFailed,
                              .took = std::chrono::milliseconds(41),
                              .findings = {{.message = "m\nn",
                                            .position = {.file = "a.star", .line = 3, .column = 5},
                                            .column_end = 9,
                                            .source_line = "  x",
                                            .hint = "h",
                                            .detail = {"d1", "d2"}}},
                              .rules = {rule(2, true)},
                              .notes = {"note"},
                              .events_total = 214,
                              .story = {3, 1, 2},
                              .event_log = "/x/events.jsonl"};
  report.control = {.outcome = Outcome::kFailed,
                    .took = std::chrono::milliseconds(7),
                    .reason = "no\nanswer",
                    .events_total = 12,
                    .event_log = "/x/control/events.jsonl"};
  report.attachments = {{.name = "a b", .file = "attachments/a_b", .size = 3}};
  report.rules[0].tally.connections_cut = 4;
  report.rules[0].column_end = 7;
  report.rules[0].source_line = "drop()";
  const auto back = report_from_line(report_to_line(report));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(report_to_line(*back), report_to_line(report));
  EXPECT_EQ(back->took, report.took);
  EXPECT_EQ(back->findings[0].column_end, 9U);
  EXPECT_EQ(back->rules[0].tally.near_misses, report.rules[0].tally.near_misses);
  EXPECT_EQ(back->rules[0].tally.connections_cut, 4U);
  EXPECT_EQ(back->rules[0].column_end, 7U);
  EXPECT_EQ(back->rules[0].source_line, "drop()");
  EXPECT_TRUE(back->rules[0].may_stay_unfired);
  ASSERT_TRUE(back->control.has_value());
  EXPECT_EQ(back->control->outcome, Outcome::kFailed);
  EXPECT_EQ(back->control->took, report.control->took);
  EXPECT_EQ(back->control->reason, "no\nanswer");
  EXPECT_EQ(back->control->events_total, 12U);
  EXPECT_EQ(back->control->event_log, "/x/control/events.jsonl");
  ASSERT_EQ(back->attachments.size(), 1U);
  EXPECT_EQ(back->attachments[0].file, "attachments/a_b");
  EXPECT_EQ(back->attachments[0].size, 3U);
  EXPECT_EQ(report_to_line(report).find('\n'), std::string::npos);
}

TEST(ReportJsonTest, AnyBytesSurviveTheWay) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  const model::TestReport report = {
      .test = "test_it",
      .spec = "caf\xe9.star",
      .findings = {{.message = bytes, .hint = "\xff", .detail = {"caf\xe9"}}},
      .rules = {{.id = "r", .tally = {.near_misses = {"GET /\xc3\x28"}}}},
      .notes = {bytes}};
  const auto back = report_from_line(report_to_line(report));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->spec, report.spec);
  ASSERT_EQ(back->findings.size(), 1U);
  EXPECT_EQ(back->findings[0].message, bytes);
  EXPECT_EQ(back->findings[0].detail, report.findings[0].detail);
  EXPECT_EQ(back->rules[0].tally.near_misses, report.rules[0].tally.near_misses);
  EXPECT_EQ(back->notes, report.notes);
}

TEST(ReportBoundsTest, LongTextsAreCutInTheirMiddle) {
  EXPECT_EQ(cut_in_the_middle("abcdefgh", 8), "abcdefgh");
  EXPECT_EQ(cut_in_the_middle("abcdefghi", 8), "abcdef ... 1 bytes left out ... hi");
  EXPECT_EQ(cut_in_the_middle("ééééé", 8), "ééé ... 2 bytes left out ... é");
}

TEST(ReportBoundsTest, AReportIsBoundedWhateverATestSays) {
  const std::string huge(5'000'000, 'y');
  model::TestReport report = {
      .description = huge,
      .findings = {{.message = huge + "!", .detail = std::vector<std::string>(1000, "line")}},
      .rules = {{.id = huge, .description = huge, .tally = {.near_misses = {huge}}}},
      .notes = std::vector<std::string>(kReportLinesMax + 1, "n")};
  report.findings[0].detail[0] = huge;
  bound_report(report);
  EXPECT_LT(report_to_line(report).size(), 100'000U);
  EXPECT_LT(report.findings[0].message.size(), kReportTextMax + 100);
  EXPECT_TRUE(report.findings[0].message.ends_with("y!"));
  ASSERT_EQ(report.findings[0].detail.size(), kReportLinesMax);
  ASSERT_EQ(report.notes.size(), kReportLinesMax);
  EXPECT_EQ(report.notes[kReportLinesMax / 2], "... 2 lines left out ...");
  EXPECT_EQ(report.notes.back(), "n");
}

TEST(ReportJsonTest, WhatIsNoReportIsAnError) {
  for (const char* line : {"", "{", "[]", "{\"outcome\":77}", "{\"outcome\":\"x\"}"}) {
    const auto report = report_from_line(line);
    if (report) EXPECT_TRUE(report->test.empty()) << line;
  }
  EXPECT_FALSE(report_from_line("{\"outcome\":77}").has_value());
  EXPECT_FALSE(report_from_line("{").has_value());
}

EventPtr event(std::uint64_t number, const std::string& type, const std::string& rule_id = "") {
  auto made = std::make_shared<model::Event>(model::Event{.number = number, .type = type});
  if (!rule_id.empty()) made->set("rule", rule_id);
  return made;
}

TEST(StoryTest, WhatARuleTouchedIsInTheStoryHoweverLongTheTest) {
  std::vector<EventPtr> events;
  for (std::uint64_t number = 1; number <= 300; ++number) {
    events.push_back(event(number, number % 7 == 0 ? "step_send" : "proxy"));
  }
  events[150] = event(151, "syscall", "disk_full");
  const auto story = select_story(events);
  EXPECT_LE(story.size(), kStoryEventsMax);
  EXPECT_THAT(story, testing::Contains(151U));
  EXPECT_THAT(story, testing::Contains(294U)) << "the last step";
  EXPECT_TRUE(std::ranges::is_sorted(story));
}

// What decides is not the last thing that happened: the test goes on for long after it.
TEST(StoryTest, WhatAFindingNamesIsInTheStoryWithItsCauses) {
  std::vector<EventPtr> events;
  for (std::uint64_t number = 1; number <= 300; ++number) {
    model::Event one = {.number = number, .service = "api", .type = "stdout"};
    one.clock = {{"api", number}};
    if (number == 40) one = {.number = 40, .service = "db", .type = "stdout"};
    if (number == 40) one.clock = {{"db", 9}};
    if (number == 100) one.clock = {{"api", 100}, {"db", 9}};
    if (number > 250) one.type = "step_recv";
    events.push_back(std::make_shared<model::Event>(one));
  }
  EXPECT_THAT(select_story(events), testing::Not(testing::Contains(100U))) << "the control";
  const std::vector<model::Finding> findings = {
      {.message = "no_orphan: not stored", .detail = {"at event 100: api printed"}}};
  const auto story = select_story(events, findings);
  EXPECT_THAT(story, testing::IsSupersetOf({40U, 100U}));
  EXPECT_TRUE(std::ranges::is_sorted(story));
  EXPECT_LE(story.size(), kStoryEventsMax);
}

// An event without a clock (a row as it was committed) says itself what it comes after.
TEST(StoryTest, WhatANamedEventSaysItComesAfterIsInTheStory) {
  std::vector<EventPtr> events;
  for (std::uint64_t number = 1; number <= 300; ++number) {
    events.push_back(event(number, number > 250 ? "step_recv" : "stdout"));
  }
  const std::vector<model::Finding> findings = {{.message = "not paid", .detail = {"event 100"}}};
  EXPECT_THAT(select_story(events, findings), testing::Not(testing::Contains(40U)))
      << "the control";
  auto late = *events[99];
  late.after = {40};
  events[99] = std::make_shared<model::Event>(late);
  EXPECT_THAT(select_story(events, findings), testing::IsSupersetOf({40U, 100U}));
}

// However much each comes from: what findings name is there first.
TEST(StoryTest, CausesTakeNoPlaceFromWhatIsNamed) {
  std::vector<EventPtr> events;
  std::vector<model::Finding> findings;
  std::vector<std::uint64_t> named;
  for (std::uint64_t number = 1; number <= 60; ++number) {
    auto made = std::make_shared<model::Event>(model::Event{.number = number, .type = "stdout"});
    if (number % 10 == 0) {
      for (std::uint64_t before = number - 9; before < number; ++before) {
        made->after.push_back(before);
      }
      findings.push_back({.message = fmt::format("event {}", number)});
      named.push_back(number);
    }
    events.push_back(made);
  }
  EXPECT_THAT(select_story(events, findings), testing::IsSupersetOf(named));
}

TEST(StoryTest, AShortTestIsToldInTheOrderThatPeopleRead) {
  EXPECT_THAT(select_story({event(2, "step_send"), event(1, "proxy", "r"), event(3, "step_recv")}),
              ElementsAre(2U, 1U, 3U));
  EXPECT_TRUE(select_story({}).empty());
}

// 130 beats 3 beats 1 beats 0; what only the command line knows (2) stands between the first two.
TEST(ExitCode, S0_23_TheWeightierOutcomeWins) {
  const auto code = [](const std::vector<Outcome>& outcomes) {
    std::vector<model::TestReport> reports;
    reports.reserve(outcomes.size());
    for (const Outcome outcome : outcomes) reports.push_back({.outcome = outcome});
    return model::exit_code(reports);
  };
  EXPECT_EQ(code({}), 0);
  EXPECT_EQ(code({Outcome::kPassed, Outcome::kSkipped}), 0);
  for (const Outcome failed : {Outcome::kFailed, Outcome::kInvalid, Outcome::kInconclusive}) {
    EXPECT_EQ(code({Outcome::kPassed, failed}), 1);
    EXPECT_EQ(code({failed, Outcome::kError}), 3);
    EXPECT_EQ(code({Outcome::kInterrupted, failed}), 130);
  }
  EXPECT_EQ(code({Outcome::kError, Outcome::kInterrupted}), 130);
  EXPECT_EQ(code({Outcome::kError, Outcome::kFailed, Outcome::kPassed}), 3);
}

}  // namespace
}  // namespace misrule::controller
