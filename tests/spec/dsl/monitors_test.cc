// Monitors, temporal properties and invariants of a file: what holds, what breaks them, what waits.

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using model::Event;
using Lines = std::vector<std::string>;

class Monitors : public SpecTest {
 protected:
  /// Runs test_x of `text` whose body does nothing; "message" of each violation, "? message" of
  /// what is open, or "holds".
  std::string judged(const std::string& text, const std::string& body = "pass") {
    load(text + "\ndef test_x():\n    " + body + "\n");
    result_ = spec_->run_test("test_x", host_);
    Lines lines;
    for (const model::Finding& finding : result_.violations) lines.push_back(finding.message);
    for (const model::Finding& finding : result_.open) lines.push_back("? " + finding.message);
    return lines.empty() ? "holds" : fmt::format("{}", fmt::join(lines, "\n"));
  }
  std::string invariant(const std::string& monitor) { return judged("invariant(" + monitor + ")"); }

  void say(const std::string& action, const std::string& order) {
    host_.happen(line(action, order));
  }
  static Event line(const std::string& action, const std::string& order) {
    Event event{.service = "api", .type = "stdout"};
    event.set("body", action + " " + order)
        .set("data", model::Json{fmt::format(R"({{"action":"{}","order":"{}"}})", action, order)});
    return event;
  }
};

const std::string kOrphan =
    "def no_orphan(event):\n"
    "    if event[\"type\"] == \"stdout\" and event.get(\"action\") == \"confirmed\":\n"
    "        rows = events(where = lambda e: e.type == \"stdout\" and e.data.get(\"action\") == "
    "\"stored\"\n"
    "                      and e.data.get(\"order\") == event[\"order\"])\n"
    "        if len(rows) == 0:\n"
    "            fail(\"orphan: \" + event[\"order\"])\n"
    "orphan = monitor(no_orphan, service = \"api\")\n"
    "invariant(orphan)\n";

TEST_F(Monitors, S1_34_S1_36_S1_37_ACallbackSeesTheWholeCellAndFails) {
  say("confirmed", "7");
  say("stored", "7");
  EXPECT_EQ(judged(kOrphan), "holds");  // What comes later is seen, too.
  say("confirmed", "8");
  say("confirmed", "9");
  EXPECT_EQ(judged(kOrphan), "no_orphan: orphan: 8");
  const model::Finding& finding = result_.violations.front();
  EXPECT_EQ(finding.position.line, 8U);
  EXPECT_EQ(finding.source_line, "            fail(\"orphan: \" + event[\"order\"])");
  const std::string detail = fmt::format("{}", fmt::join(finding.detail, "\n"));
  EXPECT_NE(detail.find("at event 3: api stdout body=confirmed 8"), std::string::npos) << detail;
  EXPECT_NE(detail.find("and at 1 more events, the first of them 4"), std::string::npos) << detail;
  EXPECT_TRUE(result_.completed);
}

TEST_F(Monitors, S1_30_S1_35_S2_4_WithoutServiceACallbackSeesEveryEventAndReadsItAsADict) {
  const std::string text =
      "def sla(event):\n"
      "    if event[\"type\"] == \"step_recv\" and event[\"service\"] == \"test\":\n"
      "        if int(event.get(\"duration_ms\", \"0\")) > 100:\n"
      "            fail(\"SLA violation: \" + str(event[\"duration_ms\"]) + \"ms\")\n"
      "    if event[\"type\"] == \"stdout\" and \"refused\" in event.get(\"body\", \"\"):\n"
      "        fail(\"refused\")\n"
      "invariant(monitor(sla))";
  Event reply{.service = "test", .type = "step_recv"};
  host_.happen(reply);
  host_.happen(Event(reply).set("duration_ms", std::int64_t{99}));
  say("stored", "7");
  EXPECT_EQ(judged(text), "holds");
  host_.happen(Event(reply).set("duration_ms", std::int64_t{101}));
  EXPECT_EQ(judged(text), "sla: SLA violation: 101ms");
}

TEST_F(Monitors, S2_16_DecisionIsATextInEveryEvent) {
  const std::string text =
      "assert_never(where = lambda e: e.type == \"syscall\" and e.decision.startswith(\"deny\") "
      "and e.service == \"api\", msg = \"denied\")\n"
      "assert_never(where = lambda e: e.decision.startswith(\"deny\") and e.service == \"api\")\n";
  say("stored", "7");
  Event call{.service = "api", .type = "syscall"};
  host_.happen(Event(call).set("decision", std::string("allow")));
  EXPECT_EQ(judged(text), "holds");
  host_.happen(Event(call).set("decision", std::string("deny(EIO)")));
  EXPECT_EQ(judged(text), "assert_never: denied: event 3 matches\nassert_never: event 3 matches");
}

TEST_F(Monitors, S1_34_ServiceSaysWhoseEventsItIsAbout) {
  Event other = line("confirmed", "6");
  other.service = "postgres";
  host_.happen(other);
  EXPECT_EQ(judged(kOrphan), "holds");
  std::string everybody = kOrphan;
  everybody.replace(everybody.find(", service = \"api\""), 17, "");
  EXPECT_EQ(judged(everybody), "no_orphan: orphan: 6");
}

TEST_F(Monitors, S1_38_AFailureIsAskedAgainWhenItIsQuiet) {
  say("confirmed", "7");
  host_.happen_after(std::chrono::milliseconds(250), line("stored", "7"));
  EXPECT_EQ(judged(kOrphan), "holds");
  // The control: what comes after the quiet does not count.
  say("confirmed", "8");
  host_.happen_after(std::chrono::milliseconds(350), line("stored", "8"));
  EXPECT_EQ(judged(kOrphan), "no_orphan: orphan: 8");
}

TEST_F(Monitors, EventsBeforeAnEventAreThoseThatStandBeforeIt) {
  const std::string stored_first =
      "def f(event):\n"
      "    if event.get(\"action\") == \"confirmed\" and "
      "not events(type = \"stdout\", where = {\"action\": \"stored\"}, before = event):\n"
      "        fail(\"not yet stored\")\n"
      "invariant(monitor(f))";
  say("stored", "7");
  say("confirmed", "7");
  EXPECT_EQ(judged(stored_first), "holds");
}

TEST_F(Monitors, AnErrorInsideFailsWithItsTrace) {
  say("stored", "7");
  EXPECT_EQ(judged("def f(event):\n    return event[\"nope\"]\ninvariant(monitor(f))"),
            "f: error in the monitor at event 1: stdout event has no field \"nope\"");
  EXPECT_EQ(result_.violations.front().position.line, 4U);
  const std::string acts =
      judged("def f(event):\n    api.get(path = \"/\")\ninvariant(monitor(f))");
  EXPECT_NE(acts.find("get cannot be called in a monitor"), std::string::npos) << acts;
  const std::string wrong = invariant("never(where = lambda e: 1 // 0)");
  EXPECT_NE(wrong.find("never: error in the monitor at event 1: "), std::string::npos) << wrong;
}

TEST_F(Monitors, ADeclarativeOneKeepsAStatePerKey) {
  const std::string text =
      "invariant(monitor(\"once\", on = {\"type\": \"stdout\", \"action\": \"confirmed\"}, key = "
      "lambda e: e[\"order\"], state_init = 0, update = lambda n, e: n + 1, check = lambda n, e: n "
      "< 2))";
  say("confirmed", "7");
  say("confirmed", "8");
  EXPECT_EQ(judged(text), "holds");
  say("confirmed", "7");
  EXPECT_EQ(judged(text), "once: check= is False for 7; the state is 2");
  EXPECT_EQ(invariant("monitor(\"open\", on = {\"type\": \"stdout\"}, check = lambda n, e: None)"),
            "? open: undecided: the last answer of check= was None; the state is None");
}

struct Row {
  std::string monitor;
  std::string says;
};

TEST_F(Monitors, TemporalPropertiesHoldOrSayWhereTheyDoNot) {
  say("stored", "7");
  say("confirmed", "7");
  say("confirmed", "8");
  const std::string stored = "{\"type\": \"stdout\", \"action\": \"stored\"}";
  const std::string confirmed = "{\"type\": \"stdout\", \"action\": \"confirmed\"}";
  const std::vector<Row> rows = {
      {"never({\"type\": \"stdout\", \"action\": \"lost\"})", "holds"},
      {"never(" + stored + ", msg = \"m\")", "never: m: event 1 matches"},
      {"always(lambda e: e.order in [\"7\", \"8\"], type = \"stdout\")", "holds"},
      {"always(lambda e: e.order == \"7\", type = \"stdout\")",
       "always: it does not hold at event 3"},
      {"eventually(" + stored + ")", "holds"},
      {"eventually({\"type\": \"stdout\", \"action\": \"lost\"}, within = \"1s\")",
       "eventually: no event matched within 1 s"},
      {"leads_to(" + stored + ", " + confirmed + ", key = \"order\")", "holds"},
      {"leads_to(" + confirmed + ", " + stored + ", within = \"1s\", key = \"order\")",
       "leads_to: nothing followed event 2 for 7 within 1 s"},
      {"before(" + stored + ", " + confirmed + ")", "holds"},
      {"before(" + stored + ", " + confirmed + ", key = \"order\")",
       "before: nothing that a= means came before event 3 for 8"},
      {"until(" + stored + ", " + confirmed + ", type = \"stdout\")", "holds"},
      {"until(" + stored + ", {\"type\": \"stdout\", \"order\": \"8\"}, type = \"stdout\")",
       "until: event 2 is neither what a= nor what b= means"},
      {"at_most(2, where = " + confirmed + ")", "holds"},
      {"at_most(1, where = " + confirmed + ", name = \"one\")",
       "one: event 3 is number 2, at most 1 may be"},
      {"once_per(\"order\", where = " + confirmed + ")", "holds"},
      {"once_per(\"order\", type = \"stdout\")",
       "once_per: event 2 is number 2 for 7, at most 1 may be"},
      {"count(" + confirmed + ", exactly = 2)", "holds"},
      {"count(" + confirmed + ", at_least = 3)", "count: 2 events match, at least 3 are wanted"},
  };
  for (const Row& row : rows) EXPECT_EQ(invariant(row.monitor), row.says) << row.monitor;
}

TEST_F(Monitors, S2_9_LivenessWaitsAndReturnsAtOnceWhenItIsSatisfied) {
  host_.happen_after(std::chrono::seconds(4), line("stored", "7"));
  EXPECT_EQ(invariant("eventually({\"type\": \"stdout\", \"action\": \"stored\"})"), "holds");
  const TimePoint after = host_.clock().now();
  EXPECT_EQ(invariant("eventually({\"type\": \"stdout\", \"action\": \"stored\"})"), "holds");
  EXPECT_EQ(host_.clock().now(), after);
  // The control: less patience.
  host_.happen_after(std::chrono::seconds(4), line("lost", "7"));
  EXPECT_EQ(invariant("eventually({\"type\": \"stdout\", \"action\": \"lost\"}, within = \"2s\")"),
            "eventually: no event matched within 2 s");
}

TEST_F(Monitors, S2_8_AssertionsAtTheTopLevelAreAboutEveryTest) {
  const std::string text =
      "assert_never(where = lambda e: e.type == \"stdout\" and e.data.get(\"action\") == "
      "\"lost\")\n"
      "assert_eventually(where = {\"type\": \"stdout\"}, within = \"1s\")\n"
      "assert_before(first = {\"action\": \"stored\", \"type\": \"stdout\"}, "
      "then = {\"action\": \"confirmed\", \"type\": \"stdout\"})\n";
  EXPECT_EQ(judged(text), "assert_eventually: no event matched within 1 s");
  say("stored", "7");
  EXPECT_EQ(judged(text), "holds");
  say("lost", "7");
  EXPECT_EQ(judged(text), "assert_never: event 2 matches");
}

TEST_F(Monitors, S2_18_S2_19_OrderComparesTheEarliestOfEachSide) {
  const std::string before =
      "assert_before(first = {\"action\": \"stored\", \"type\": \"stdout\"}, "
      "then = {\"action\": \"confirmed\", \"type\": \"stdout\"}";
  EXPECT_EQ(outcome_of(before + ")"), "4:5-18 assert_before: no event matches first=");
  say("stored", "7");
  EXPECT_EQ(outcome_of(before + ")"), "4:5-18 assert_before: no event matches then=");
  say("confirmed", "7");
  say("confirmed", "8");
  EXPECT_EQ(outcome_of(before + ")"), "completed");
  EXPECT_EQ(outcome_of(before + ", every = True)"),
            "4:5-18 assert_before: event 3 has no event that first= means before it");
  // A dict that matches nothing says what came nearest.
  EXPECT_EQ(outcome_of("assert_before(first = {\"action\": \"sto*.wal\", \"type\": \"stdout\"}, "
                       "then = {\"type\": \"stdout\"})"),
            "4:5-18 assert_before: no event matches first=");
  EXPECT_EQ(result_.finding->detail.back(),
            "nearest: 3 matched but for action, such as \"stored\"");
  host_.happen(Event{.service = "test", .type = "step_recv"}.set("to", std::string("api")));
  for (const char* end : {"test", "api"}) {
    EXPECT_EQ(outcome_of(fmt::format("assert_before(first = {{\"action\": \"stored\"}}, "
                                     "then = {{\"service\": \"{}\", \"type\": \"step_recv\"}})",
                                     end)),
              "completed")
        << "the reply of the api is meant by either end";
  }
}

TEST_F(Monitors, WhatIsNotAllKnownDecidesNothing) {
  say("stored", "7");
  const std::string lost = "never({\"type\": \"stdout\", \"action\": \"lost\"})";
  EXPECT_EQ(invariant(lost), "holds");
  host_.barrier_status = fail(Code::kTimeout, "postgres has not caught up");
  EXPECT_EQ(invariant(lost), "? never: undecided: postgres has not caught up");
  host_.barrier_status = {};
  Event cut{.service = "api", .type = "lifecycle"};
  cut.set("action", std::string("output_cut")).set("detail", std::string("9 lines"));
  host_.happen(cut);
  EXPECT_EQ(invariant(lost), "? never: undecided: not all that api printed is recorded: 9 lines");
  EXPECT_EQ(invariant("never({\"type\": \"stdout\"}, service = db)"), "holds");
  EXPECT_EQ(invariant("eventually({\"type\": \"stdout\"})"), "holds");
}

/// Violations that rest on what was not seen, and one that does not.
TEST_F(Monitors, WhatMayBeMissingViolatesNothing) {
  say("confirmed", "7");
  const std::string stored = "{\"type\": \"stdout\", \"action\": \"stored\"}";
  const std::string confirmed = "{\"type\": \"stdout\", \"action\": \"confirmed\"}";
  const std::vector<std::string> absent = {
      kOrphan,
      "invariant(count(" + stored + ", at_least = 1))",
      "invariant(before(" + stored + ", " + confirmed + "))",
      "invariant(eventually(" + stored + "))",
      "assert_before(first = " + stored + ", then = " + confirmed + ")",
  };
  const std::vector<std::string> seen = {
      "invariant(never(" + confirmed + "))", "invariant(count(" + confirmed + ", exactly = 0))",
      "def f(event):\n    fail(\"seen\")\ninvariant(monitor(f))",  // It asks for no others.
  };
  const auto expect_violated = [this](const std::string& text) {
    judged(text);
    EXPECT_EQ(result_.violations.size(), 1U) << text;
    EXPECT_TRUE(result_.open.empty()) << text;
  };
  const auto expect_open = [this](const std::string& text, std::string_view why) {
    const std::string said = judged(text);
    EXPECT_TRUE(said.starts_with("? ") && said.ends_with(why)) << said;
    EXPECT_EQ(result_.open.size(), 1U) << text;
  };
  for (const std::string& text : absent) expect_violated(text);
  host_.barrier_status = fail(Code::kTimeout, "postgres has not caught up");
  for (const std::string& text : absent) {
    expect_open(text, "undecided: postgres has not caught up");
  }
  for (const std::string& text : seen) expect_violated(text);
  host_.barrier_status = {};
  Event cut{.service = "api", .type = "lifecycle"};
  cut.set("action", std::string("output_cut")).set("detail", std::string("9 lines"));
  host_.happen(cut);
  for (const std::string& text : absent) {
    expect_open(text, "undecided: not all that api printed is recorded: 9 lines");
  }
  for (const std::string& text : seen) expect_violated(text);
}

TEST_F(Monitors, AnOrderIsUndecidedWhereEventsAreMissing) {
  say("stored", "7");
  say("confirmed", "7");
  const std::string before =
      "assert_before(first = {\"action\": \"stored\"}, then = {\"action\": \"confirmed\"})";
  EXPECT_EQ(outcome_of(before), "completed");
  Event cut{.service = "api", .type = "lifecycle"};
  cut.set("action", std::string("output_cut")).set("detail", std::string("9 lines"));
  host_.happen(cut);
  EXPECT_EQ(outcome_of(before),
            "4:5-18 assert_before: undecided: not all that api printed is recorded: 9 lines");
  EXPECT_TRUE(result_.undecided);
}

TEST_F(Monitors, ADeadlineWaitsForWhatIsNotRecordedYet) {
  int barriers = 0;
  host_.on_barrier = [&] {
    if (++barriers == 2) say("stored", "7");
  };
  EXPECT_EQ(invariant("eventually({\"type\": \"stdout\", \"action\": \"stored\"})"), "holds");
  EXPECT_EQ(barriers, 2) << "one before the first look, one before the last";
}

TEST_F(Monitors, ACancelledWaitIsUndecided) {
  host_.on_wait = [&] { spec_->cancel("the deadline passed"); };
  EXPECT_EQ(invariant("eventually({\"type\": \"stdout\"})"), "holds");
  EXPECT_TRUE(result_.cancelled && result_.undecided && !result_.completed);
}

TEST_F(Monitors, AMonitorThatSawNothingIsNoted) {
  EXPECT_EQ(invariant("never({\"type\": \"proxy\"})"), "holds");
  const Lines notes = spec_->take_notes();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_TRUE(notes[0].ends_with(":3: never saw no event of those that it is about")) << notes[0];
}

TEST_F(Monitors, WhatCannotBeIsAnErrorAtLoad) {
  const std::vector<Row> rows = {
      {"never()", "says nothing about events"},
      {"monitor(lambda: 1)", "takes one argument, the event"},
      {"monitor(\"x\", on = {\"type\": \"stdout\"})", "missing argument for check"},
      {"monitor(1)", "a function of an event, or a name"},
      {"monitor(lambda e: 1, service = \"nobody\")", "no event is of service \"nobody\""},
      {"never({\"type\": \"stdou\"})", "there are no \"stdou\" events"},
      {"until({\"type\": \"stdout\"}, {\"type\": \"proxy\"})", "type= or service="},
      {"count({\"type\": \"stdout\"})", "wants exactly="},
      {"1", "want a monitor"},
  };
  for (const Row& row : rows) {
    const std::string problem = only_problem("invariant(" + row.monitor + ")\n");
    EXPECT_NE(problem.find(row.says), std::string::npos) << row.monitor << ": " << problem;
  }
}

}  // namespace
}  // namespace misrule::dsl
