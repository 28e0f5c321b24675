// fault(): what is armed, when it ends, and rules that are wrong for their target.

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using Fault = SpecTest;
using Lines = std::vector<std::string>;

TEST_F(Fault, RulesHoldWhileTheBodyRunsAndItsValueComesBack) {
  EXPECT_EQ(outcome_of("r = fault(api, connect = deny(\"ECONNREFUSED\"), run = lambda: "
                       "api.get(path = \"/a\"))\n"
                       "assert_eq(r.status, 200)\n"
                       "api.get(path = \"/b\")"),
            "completed");
  EXPECT_EQ(host_.log(),
            (Lines{"arm test_x/1", "GET /a -> api.public", "disarm 1", "GET /b -> api.public"}));
  const model::Rule& rule = host_.armed[0][0];
  EXPECT_EQ(rule.target().service(), "api");
  EXPECT_FALSE(rule.target().has_interface());
  EXPECT_EQ(rule.syscall().family(), "connect");
  EXPECT_EQ(rule.deny().error(), "ECONNREFUSED");
  EXPECT_EQ(rule.position().line(), 4U);
  EXPECT_EQ(rule.position().column(), 30U);
  EXPECT_TRUE(rule.position().file().ends_with("/spec.star"));
}

TEST_F(Fault, EveryFormAtOnce) {
  EXPECT_EQ(
      outcome_of(
          "slow = delay(\"1.5s\", query = \"SELECT*\", nth = 2, after = 1, times = 3, probability "
          "= 0.5, source = api, label = \"slow\", optional = True)\n"
          "fault(db, slow, drop(), rules = [error(query = \"INSERT*\", code = \"40001\", message = "
          "\"m\", mode = \"reject\")], write = deny(\"EIO\", path = \"*/pg_wal/*\", fd_kind = "
          "\"file\"), fsync = [delay(\"2ms\"), deny(\"EIO\")], source = \"test\", run = lambda: "
          "None)"),
      "completed");
  ASSERT_EQ(host_.armed.size(), 1U);
  const auto& rules = host_.armed[0];
  ASSERT_EQ(rules.size(), 6U);
  EXPECT_EQ(rules[0].id(), "slow");
  EXPECT_EQ(rules[0].delay().duration_us(), 1'500'000U);
  EXPECT_EQ(rules[0].postgres().query(), "SELECT*");
  EXPECT_EQ(rules[0].trigger().nth(), 2U);
  EXPECT_EQ(rules[0].trigger().after(), 1U);
  EXPECT_EQ(rules[0].trigger().times(), 3U);
  EXPECT_EQ(rules[0].trigger().probability(), 0.5);
  EXPECT_EQ(rules[0].source(), "api");
  EXPECT_TRUE(rules[0].may_stay_unfired());
  EXPECT_TRUE(rules[1].has_postgres());
  EXPECT_TRUE(rules[1].has_drop());
  EXPECT_EQ(rules[1].source(), "test");
  EXPECT_EQ(rules[2].error().code(), "40001");
  EXPECT_EQ(rules[2].error().message(), "m");
  EXPECT_EQ(rules[2].id(), "test_x/3");
  EXPECT_EQ(rules[3].syscall().path(), "*/pg_wal/*");
  EXPECT_EQ(rules[3].syscall().fd_kind(), "file");
  EXPECT_FALSE(rules[3].has_source());
  EXPECT_EQ(rules[4].syscall().family(), "fsync");
  EXPECT_EQ(rules[5].id(), "test_x/6");
}

TEST_F(Fault, HttpRulesAndDestinations) {
  EXPECT_EQ(
      outcome_of("fault(api.public, error(path = \"/a*\", method = \"GET\", status = 503, body = "
                 "\"b\"), delay(\"1s\", side = \"reply\"), run = lambda: None)\n"
                 "fault(api, connect = deny(\"ETIMEDOUT\", to = db.main, established = \"keep\"), "
                 "run = lambda: None)\n"
                 "fault(api, connect = delay(\"1s\"), to = db, run = lambda: None)"),
      "completed");
  EXPECT_EQ(host_.armed[0][0].http().path(), "/a*");
  EXPECT_EQ(host_.armed[0][0].http().method(), "GET");
  EXPECT_EQ(host_.armed[0][0].error().status(), 503U);
  EXPECT_EQ(host_.armed[0][0].target().interface(), "public");
  EXPECT_EQ(host_.armed[0][1].delay().side(), "reply");
  EXPECT_EQ(host_.armed[1][0].syscall().to().service(), "postgres");
  EXPECT_EQ(host_.armed[1][0].syscall().to().interface(), "main");
  EXPECT_EQ(host_.armed[1][0].syscall().established(), "keep");
  EXPECT_EQ(host_.armed[2][0].syscall().to().service(), "postgres");
}

TEST_F(Fault, NestedFaultsEndInsideOut) {
  EXPECT_EQ(outcome_of("fault(db, drop(label = \"outer\"), run = lambda: fault(db, drop(label = "
                       "\"inner\"), run = lambda: None))"),
            "completed");
  EXPECT_EQ(host_.log(), (Lines{"arm outer", "arm inner", "disarm 2", "disarm 1"}));
}

TEST_F(Fault, AnErrorInTheBodyEndsItToo) {
  EXPECT_EQ(outcome_of("def body():\n    assert_eq(1, 2)\nfault(db, drop(), run = body)"),
            "5:9-18 assert_eq: 1: expected 2, got 1");
  EXPECT_EQ(host_.log(), (Lines{"arm test_x/1", "disarm 1"}));
  EXPECT_FALSE(result_.finding->detail.empty());
  EXPECT_NE(fmt::format("{}", fmt::join(result_.finding->detail, "\n")).find("body called at"),
            std::string::npos);
}

TEST_F(Fault, TheSameLabelTwiceIsTwoRules) {
  EXPECT_EQ(
      outcome_of("for i in range(2):\n    fault(db, drop(label = \"a\"), run = lambda: None)\n"
                 "fault(db, drop(), run = lambda: None)"),
      "completed");
  EXPECT_EQ(host_.log(),
            (Lines{"arm a", "disarm 1", "arm a#2", "disarm 2", "arm test_x/3", "disarm 3"}));
}

TEST_F(Fault, WhenAndWhoseAndHowLong) {
  EXPECT_EQ(outcome_of("fault(db, delay(\"100ms\", jitter = \"20ms\", distribution = \"normal\", "
                       "every = 3, user = \"u\", database = \"d\", application_name = \"a\", "
                       "in_transaction = False), error(query = \"INSERT*\", code = \"40001\", "
                       "in_transaction = True), run = lambda: None)"),
            "completed");
  const auto& rules = host_.armed.at(0);
  EXPECT_EQ(rules.at(0).delay().jitter_us(), 20'000U);
  EXPECT_EQ(rules.at(0).delay().distribution(), "normal");
  EXPECT_EQ(rules.at(0).trigger().every(), 3U);
  EXPECT_EQ(rules.at(0).postgres().user(), "u");
  EXPECT_EQ(rules.at(0).postgres().database(), "d");
  EXPECT_EQ(rules.at(0).postgres().application_name(), "a");
  EXPECT_TRUE(rules.at(0).postgres().has_in_transaction());
  EXPECT_FALSE(rules.at(0).postgres().in_transaction());
  EXPECT_EQ(rules.at(1).postgres().query(), "INSERT*");
  EXPECT_TRUE(rules.at(1).postgres().in_transaction());
}

TEST_F(Fault, ALinkIsAboutBytesWhateverTheyMean) {
  EXPECT_EQ(outcome_of("fault(db, link(latency = \"100ms\", jitter = \"1500us\", bandwidth = "
                       "\"512KB/s\", slice = 100, slice_delay = \"1ms\", close_after = 7, "
                       "reset_after = 0, slow_close = \"2s\", blackhole = True, half_close = True, "
                       "direction = \"to_client\", probability = 0.5), link(bandwidth = 1024), run "
                       "= lambda: None)"),
            "completed");
  const auto& rules = host_.armed.at(0);
  EXPECT_EQ(rules.at(0).match_case(), model::Rule::MATCH_NOT_SET);
  const model::LinkFault& link = rules.at(0).link();
  EXPECT_EQ(link.latency_us(), 100'000U);
  EXPECT_EQ(link.jitter_us(), 1'500U);
  EXPECT_EQ(link.bandwidth(), 512'000U);
  EXPECT_EQ(link.slice_bytes(), 100U);
  EXPECT_EQ(link.slice_delay_us(), 1'000U);
  EXPECT_EQ(link.close_after(), 7U);
  EXPECT_TRUE(link.has_reset_after());
  EXPECT_EQ(link.slow_close_us(), 2'000'000U);
  EXPECT_TRUE(link.blackhole());
  EXPECT_TRUE(link.half_close());
  EXPECT_EQ(link.direction(), "to_client");
  EXPECT_EQ(rules.at(1).link().bandwidth(), 1024U);
}

TEST_F(Fault, WhatTheHostCannotDoIsInfrastructure) {
  host_.disarm_status = fail(Code::kIo, "postgres did not come back");
  run_body("fault(db, drop(), run = lambda: None)");
  EXPECT_FALSE(result_.completed);
  EXPECT_TRUE(result_.infrastructure);
  EXPECT_EQ(result_.finding->message, "postgres did not come back");
}

TEST_F(Fault, TheFirstThingThatWentWrongIsTold) {
  host_.disarm_status = fail(Code::kIo, "postgres did not come back");
  EXPECT_EQ(outcome_of("fault(db, drop(), run = lambda: assert_true(False))"),
            "4:37-48 assert_true: False is False");
  EXPECT_FALSE(result_.infrastructure);
  EXPECT_EQ(spec_->take_notes(), Lines{"ending the fault: postgres did not come back"});
}

TEST_F(Fault, ARuleThatTheHostRefusesIsTheSpecsError) {
  host_.on_arm = [](const auto&) { return fail(Code::kInvalid, "rule test_x/1: no"); };
  EXPECT_EQ(outcome_of("fault(db, drop(), run = lambda: None)"), "4:5-10 fault: rule test_x/1: no");
  host_.on_arm = [](const auto&) { return fail(Code::kIo, "the proxy is gone"); };
  run_body("fault(db, drop(), run = lambda: None)");
  EXPECT_TRUE(result_.infrastructure);
}

// Everything below stands in a body and is found before anything starts.

constexpr std::pair<const char*, const char*> kMistakes[] = {
    {"fault(db, wirte = deny(\"EIO\"), run = f)",
     "4:15-34 fault: unexpected keyword argument \"wirte\" (did you mean write?) [system calls: "
     "connect, read, write, fsync, open; and rules, run, source, to, label, description]"},
    {"fault(db, ftruncate = deny(\"EIO\"), run = f)",
     "4:15-38 fault: unexpected keyword argument \"ftruncate\" [system calls: connect, read, "
     "write, "
     "fsync, open; and rules, run, source, to, label, description]"},
    {"fault(db, write = deny(\"ENOSPCE\"), run = f)",
     "4:28-37 deny: unknown error \"ENOSPCE\" (did you mean ENOSPC?) [an errno's name, such as "
     "\"EIO\", \"ENOSPC\", \"ECONNREFUSED\"]"},
    {"fault(db, write = deny(\"EIO\", pth = \"x\"), run = f)",
     "4:35-44 deny: unexpected keyword argument \"pth\" (did you mean path?) [it takes errno, "
     "path, "
     "fd_kind, to, established, label, optional, source, times, nth, after, every, probability, "
     "per, window]"},
    {"fault(db, drop(nth = 1, every = 2), run = f)",
     "4:26-27 drop: nth= is one match, every= is many: say one of them"},
    {"fault(db, delay(\"1s\", distribution = \"normal\"), run = f)",
     "4:42-50 delay: distribution= wants jitter=, which it spreads"},
    {"fault(db, delay(\"1s\", jitter = \"1s\", distribution = \"gauss\"), run = f)",
     "4:57-64 delay: unknown distribution=\"gauss\" [one of uniform, normal, pareto]"},
    {"fault(api, drop(user = \"u\", path = \"/x\"), run = f)",
     "4:21-31 fault: user= is for postgres, path= is for http: a rule is for one of them"},
    {"fault(db, link(bandwidth = \"1 MB\"), run = f)",
     "4:32-38 link: for parameter \"bandwidth\": got string, want rate such as \"512KB/s\" or "
     "\"1MiB/s\", or a number of bytes per second above 0"},
    {"fault(db, link(slice = 0), run = f)", "4:28-29 link: slice=0 is less than 1"},
    {"fault(db, write = link(latency = \"1s\"), run = f)",
     "4:23-43 fault: link() acts on traffic, not on the system call write: give it without a "
     "keyword, or fail the call with write=deny(\"EIO\")"},
    {"fault(db, write = delay(\"3 sec\"), run = f)",
     "4:29-36 delay: for parameter duration: got string, want duration such as \"500ms\" or "
     "\"3s\""},
    {"fault(db, write = deny(\"EIO\", times = 0), run = f)",
     "4:43-44 deny: times=0 is less than 1"},
    {"fault(db, drop(probability = 1.5), run = f)",
     "4:34-37 drop: probability=1.5 is not above 0 and at most 1"},
    {"fault(db, drop(nth = 1, after = 2), run = f)", "4:26-27 drop: nth=1 never comes after=2"},
    {"fault(db, drop(label = \"\"), run = f)", "4:28-30 drop: label= is empty"},
    {"fault(db, write = deny(\"EIO\", fd_kind = \"fil\"), run = f)",
     "4:45-50 deny: unknown fd_kind=\"fil\" (did you mean file?) [one of file, socket, pipe, "
     "stdio]"},
    {"fault(db, write = error(query = \"x\"), run = f)",
     "4:23-41 fault: error() acts on traffic, not on the system call write: give it without a "
     "keyword, "
     "or fail the call with write=deny(\"EIO\")"},
    {"fault(db, deny(\"EIO\"), run = f)",
     "4:15-26 fault: deny() fails a system call: say which, as in write=deny(\"EIO\") or "
     "connect=deny(\"ECONNREFUSED\"); what a server answers is error()"},
    {"fault(api, connect = deny(\"EIO\", path = \"x\"), run = f)",
     "4:38-48 fault: path= can never match a connect; to= says where to"},
    {"fault(db, write = deny(\"EIO\", to = api), run = f)",
     "4:35-43 fault: to= is for connect; write is matched by path= and fd_kind="},
    {"fault(db, write = delay(\"1s\", query = \"x\"), run = f)",
     "4:35-46 fault: query= is for traffic; a system call is matched by path= and fd_kind="},
    {"fault(db, fsync = deny(\"EIO\", fd_kind = \"file\"), run = f)",
     "4:35-51 fault: fd_kind= narrows read= and write=, not fsync="},
    {"fault(db.main, write = deny(\"EIO\"), run = f)",
     "4:28-39 fault: write= is about the processes of a service: the target is postgres, not "
     "postgres.main"},
    {"fault(db, delay(\"1s\", query = \"x\", path = \"y\"), run = f)",
     "4:27-38 fault: query= is for postgres, path= is for http: a rule is for one of them"},
    {"fault(db, drop(command = \"SET\", query = \"x\"), run = f)",
     "4:20-35 fault: query= is for postgres, command= is for redis: a rule is for one of them"},
    {"fault(db, write = delay(\"1s\", key = \"x\"), run = f)",
     "4:35-44 fault: key= is for traffic; a system call is matched by path= and fd_kind="},
    {"fault(db, drop(source = \"apy\"), run = f)",
     "4:20-34 fault: source=\"apy\" is no service; \"test\" is the test itself (did you mean "
     "api?)"},
    {"fault(db, drop(), source = \"apy\", run = f)",
     "4:23-37 fault: source=\"apy\" is no service; \"test\" is the test itself (did you mean "
     "api?)"},
    {"fault(db, rules = [drop(), delay(\"1s\", fd_kind = \"file\")], run = f)",
     "4:44-60 fault: fd_kind= is for system calls, as in write=delay(...)"},
    {"fault(db, drop())",
     "4:5-10 fault: missing argument for run [run= is the function during which the rules hold]"},
    {"slow = deny(\"ENOSPCE\")\nfault(db, write = slow, run = f)",
     "4:17-26 deny: unknown error \"ENOSPCE\" (did you mean ENOSPC?) [an errno's name, such as "
     "\"EIO\", \"ENOSPC\", \"ECONNREFUSED\"]"},
    {"e = error(query = \"x\")\nfault(db, write = e, run = f)",
     "4:9-27 fault: error() acts on traffic, not on the system call write: give it without a "
     "keyword, "
     "or fail the call with write=deny(\"EIO\")"},
};

TEST_F(Fault, WrongRulesAreFoundAtLoad) {
  for (const auto& [body, problem] : kMistakes) {
    std::string text = "def test_x():\n    ";
    for (const char c : std::string(body))
      text += c == '\n' ? std::string("\n    ") : std::string(1, c);
    EXPECT_EQ(only_problem(text + "\ndef f():\n    pass\n"), problem) << body;
  }
}

TEST_F(Fault, TheLawOfThePlaceOfUseIsAskedAtLoadAndMayFillIn) {
  options_.check_rule = [](const model::Topology&, model::Rule& rule) -> Status {
    if (rule.has_error() && rule.error().code() == "bad")
      return fail(Code::kInvalid, "no such code", "code");
    if (rule.has_delay() && rule.delay().duration_us() == 0)
      return fail(Code::kInvalid, "no time", "duration");
    if (rule.has_error()) rule.mutable_error()->set_code("40001");
    return {};
  };
  EXPECT_EQ(only_problem("def test_x():\n    fault(db, error(code = \"bad\"), run = len)\n"),
            "4:21-33 fault: no such code");
  EXPECT_EQ(only_problem("def test_x():\n    fault(db, delay(\"0s\"), run = len)\n"),
            "4:21-25 fault: no time");
  EXPECT_EQ(outcome_of("fault(db, error(message = \"m\"), run = lambda: None)"), "completed");
  EXPECT_EQ(host_.armed[0][0].error().code(), "40001");
}

TEST_F(Fault, AMistakeIsShownWhereItWasWrittenAndWhereItIsUsed) {
  options_.check_rule = [](const model::Topology&, model::Rule& rule) -> Status {
    return rule.error().code() == "bad" ? fail(Code::kInvalid, "no such code", "code") : Status();
  };
  const auto loaded = problems(
      "e = error(code = \"bad\")\n"
      "def test_x():\n    fault(db, e, run = len)\n");
  EXPECT_EQ(loaded, Lines{"3:11-23 fault: no such code"});
  run_body("for e in [error(code = \"bad\")]:\n    fault(db, rules = [e], run = len)");
  ASSERT_TRUE(result_.finding.has_value());
  EXPECT_EQ(shown(*result_.finding), "4:21-33 fault: no such code");
  EXPECT_EQ(result_.finding->source_line, "    for e in [error(code = \"bad\")]:");
  ASSERT_EQ(result_.finding->detail.size(), 1U);
  EXPECT_TRUE(result_.finding->detail[0].ends_with(":5:27: used here"));
  run_body("k = {\"code\": \"bad\"}\nfault(db, error(**k), run = len)");
  ASSERT_TRUE(result_.finding.has_value());
  EXPECT_EQ(shown(*result_.finding), "5:21-24 fault: no such code");
  EXPECT_TRUE(result_.finding->detail.empty()) << "it was made where it is used";
}

TEST_F(Fault, TheLineOfARuleIsTheOneThatWasLoaded) {
  ASSERT_EQ(outcome_of("fault(db, drop(), run = lambda: None)"), "completed");
  const model::Position& at = host_.armed[0][0].position();
  EXPECT_EQ(at.column(), 15U);
  EXPECT_EQ(at.column_end(), 21U);
  write_file("spec.star", "# another text by now\n\n\n\n");
  const model::SourcePosition line = {.file = at.file(), .line = at.line()};
  EXPECT_EQ(spec_->source_line(line), "    fault(db, drop(), run = lambda: None)");
  EXPECT_EQ(spec_->source_line({.file = at.file(), .line = 99}), "");
  EXPECT_EQ(spec_->source_line({.file = "elsewhere.star", .line = 4}), "");
}

TEST_F(Fault, WhatIsNotKnownAtLoadIsCheckedWhenItRuns) {
  EXPECT_EQ(
      outcome_of("e = \"ENO\".upper() + \"SPCE\"\nfault(db, write = deny(e), run = lambda: None)"),
      "5:28-29 deny: unknown error \"ENOSPCE\" (did you mean ENOSPC?) [an errno's name, such as "
      "\"EIO\", \"ENOSPC\", \"ECONNREFUSED\"]");
  EXPECT_EQ(outcome_of("k = {\"wirte\": drop()}\nfault(db, run = lambda: None, **k)").substr(0, 89),
            "5:35-38 fault: unexpected keyword argument \"wirte\" (did you mean write?) [system "
            "calls: c");
  EXPECT_EQ(outcome_of("for v in [1, drop()]:\n    fault(db, v, run = lambda: None)"),
            "5:19-20 fault: got int, want error(...), delay(...) or drop(...)");
  EXPECT_EQ(outcome_of("for t in [1]:\n    fault(t, drop(), run = lambda: None)"),
            "5:15-16 fault: the first argument is a service or an interface, not a int");
  EXPECT_EQ(outcome_of("fault(db, drop(), run = api.get(path = \"/\"))"),
            "4:29-48 fault: run= wants a function, not a response [run=f hands the function over; "
            "run=f() "
            "calls it before the fault]");
  EXPECT_EQ(
      outcome_of("fault(db, run = lambda: None)"),
      "4:5-34 fault: no rule is given [such as write=deny(\"EIO\"), or error(query=\"INSERT*\")]");
}

TEST_F(Fault, AFamilyThatTheFilterDoesNotSeeIsAnErrorThatSaysHow) {
  EXPECT_EQ(
      outcome_of("k = {\"WRITE\".lower(): deny(\"EIO\")}\nfault(db, run = lambda: None, **k)"),
      "5:37-38 fault: postgres was started without looking at its write calls, because no call in "
      "the spec says write= [service(..., intercept=[\"write\"])]");
}

TEST_F(Fault, ActionsAreValues) {
  load("print(deny(\"EIO\", path = \"x\"))\n");
  EXPECT_EQ(printed_, Lines{"<action deny(\"EIO\", path = \"x\")>"});
}

TEST_F(Fault, CancellingEndsTheBodyAndTheFault) {
  host_.on_step = [&](const StepCall&) {
    spec_->cancel("deadline");
    return StepReply{.error = "interrupted"};
  };
  run_body("fault(db, drop(), run = lambda: api.get(path = \"/\"))\napi.get(path = \"/never\")");
  EXPECT_FALSE(result_.completed);
  EXPECT_TRUE(result_.cancelled);
  EXPECT_FALSE(result_.undecided);
  EXPECT_EQ(host_.log(), (Lines{"arm test_x/1", "GET / -> api.public", "disarm 1"}));
}

}  // namespace
}  // namespace misrule::dsl
