// Steps, their arguments, and what can be read from their responses.

#include <condition_variable>

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using Steps = SpecTest;
using Lines = std::vector<std::string>;

TEST_F(Steps, HttpStepsArrive) {
  EXPECT_EQ(
      outcome_of("api.get(path = \"/a?b=c\")\n"
                 "api.public.post(\"/p\", \"text\", headers = {\"X-A\": \"1\"}, timeout = \"2s\")\n"
                 "api.put(path = \"/j\", body = {\"b\": [1, None]})\n"
                 "api.delete(path = \"/d\")\n"
                 "api.patch(path = \"/e\", body = [])"),
      "completed");
  EXPECT_EQ(host_.log(),
            (Lines{"GET /a?b=c -> api.public", "POST /p -> api.public", "PUT /j -> api.public",
                   "DELETE /d -> api.public", "PATCH /e -> api.public"}));
  const auto& post = std::get<HttpStep>(host_.steps[1].step);
  EXPECT_EQ(post.body, "text");
  EXPECT_EQ(post.headers[0], (std::pair<std::string, std::string>{"X-A", "1"}));
  EXPECT_EQ(host_.steps[1].timeout, std::chrono::seconds(2));
  EXPECT_EQ(host_.steps[1].position.line, 5U);
  EXPECT_EQ(host_.steps[0].timeout, std::chrono::seconds(30));
  EXPECT_EQ(std::get<HttpStep>(host_.steps[2].step).body, "{\"b\":[1,null]}");
}

TEST_F(Steps, SqlStepsArrive) {
  EXPECT_EQ(outcome_of("db.main.query(sql = \"SELECT 1\")\n"
                       "db.exec(\"DELETE\", database = \"d\", user = \"u\", timeout = \"1m\")"),
            "completed");
  const auto& query = std::get<SqlStep>(host_.steps[0].step);
  EXPECT_TRUE(query.wants_rows);
  EXPECT_EQ(query.sql, "SELECT 1");
  const auto& exec = std::get<SqlStep>(host_.steps[1].step);
  EXPECT_FALSE(exec.wants_rows);
  EXPECT_EQ(exec.database, "d");
  EXPECT_EQ(exec.user, "u");
  EXPECT_EQ(host_.steps[1].timeout, std::chrono::minutes(1));
}

TEST_F(Steps, AResponseHasItsParts) {
  host_.on_step = [](const StepCall&) {
    return StepReply{.ok = true,
                     .status = 201,
                     .body = "{\"id\": 7, \"n\": 1.0}",
                     .data = {"{\"id\": 7, \"n\": 1.0}"},
                     .headers = {{"x-a", "1"}, {"x-a", "2"}},
                     .took = std::chrono::microseconds(12'900)};
  };
  EXPECT_EQ(
      outcome_of("r = api.get(path = \"/\")\n"
                 "assert_eq(r.status, 201)\nassert_true(r.ok)\nassert_true(r)\n"
                 "assert_eq(r.data, {\"id\": 7, \"n\": 1})\nassert_eq(r.data[\"id\"], 7)\n"
                 "assert_eq(r.body[0], \"{\")\nassert_eq(r.headers[\"x-a\"], \"1, 2\")\n"
                 "assert_eq(r.duration_ms, 12)\nassert_eq(r.error, \"\")\nassert_eq(r.code, \"\")\n"
                 "assert_true(r != None)\nassert_eq(str(r), \"<response 201, 12 ms>\")\n"
                 "assert_true(r.status in [200, 201])"),
      "completed");
}

TEST_F(Steps, AFailedStepIsAResponseWhoseDataRaises) {
  host_.on_step = [](const StepCall&) {
    return StepReply{.error = "Connection refused", .code = "", .took = std::chrono::seconds(1)};
  };
  EXPECT_EQ(
      outcome_of("r = api.get(path = \"/\")\nassert_true(not r.ok)\nassert_eq(r.status, 0)\n"
                 "assert_eq(r.error, \"Connection refused\")\nassert_true(r != None)\nr.data"),
      "9:7-11 .data of a step that failed: Connection refused [check .ok or .error first]");
}

TEST_F(Steps, DataIsNoneWithoutJsonAndAnErrorWhenJsonIsBroken) {
  EXPECT_EQ(outcome_of("assert_eq(api.get(path = \"/\").data, None)"), "completed");
  host_.on_step = [](const StepCall&) {
    return StepReply{.ok = true, .status = 200, .body = "{oops", .data = {"{oops"}};
  };
  const std::string outcome = outcome_of("api.get(path = \"/\").data");
  EXPECT_TRUE(outcome.starts_with("4:25-29 .data: the reply says that it is JSON: ")) << outcome;
}

TEST_F(Steps, MistakesInTheirArguments) {
  const std::pair<const char*, const char*> kMistakes[] = {
      {"api.get(path = \"a\")", "4:20-23 get: path \"a\" does not begin with a slash"},
      {"api.get(path = \"/a b\")",
       "4:20-26 get: path \"/a b\" contains a blank or control character"},
      {"api.post(path = \"/\", bodi = \"x\")",
       "4:26-36 post: unexpected keyword argument \"bodi\" (did you mean body?)"},
      {"api.post(path = \"/\", body = 1)",
       "4:33-34 post: body= is text, or a dict or list that becomes JSON; got int"},
      {"api.get(path = \"/\", headers = {\"A\": \"b\\r\\nC: d\"})",
       "4:35-53 get: a header holds a line break or has no name"},
      {"api.get(path = \"/\", timeout = \"0s\")", "4:9-12 get: timeout= is zero"},
      {"db.query(sql = 1)", "4:20-21 query: for parameter \"sql\": got int, want string"},
      {"db.query()", "4:8-13 query: missing argument for sql"},
  };
  for (const auto& [body, outcome] : kMistakes) {
    const std::string got = outcome_of(body);
    EXPECT_TRUE(got.starts_with(outcome)) << got << "\nwanted\n" << outcome;
  }
}

// S2-13.
TEST_F(Steps, ParallelStepsRunAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable both;
  int here = 0;
  host_.on_step = [&](const StepCall& call) {
    std::unique_lock lock(mutex);
    ++here;
    both.notify_all();
    // Each waits for the other: one after the other would time out.
    const bool met = both.wait_for(lock, std::chrono::seconds(20), [&] { return here == 2; });
    return StepReply{.ok = met, .status = std::get<HttpStep>(call.step).path == "/a" ? 1 : 2};
  };
  EXPECT_EQ(
      outcome_of("rs = parallel(lambda: api.get(path = \"/a\"), lambda: api.get(path = \"/b\"))\n"
                 "assert_eq([r.status for r in rs], [1, 2])\nassert_true(rs[0].ok and rs[1].ok)"),
      "completed");
}

TEST_F(Steps, ParallelErrorsAreThoseOfTheFirstFunction) {
  EXPECT_EQ(outcome_of(
                "parallel(lambda: api.get(path = \"/\"), lambda: assert_eq(1, 2), lambda: 1 // 0)"),
            "4:51-60 assert_eq: 1: expected 2, got 1");
  EXPECT_EQ(outcome_of("parallel(api.get(path = \"/\"))"),
            "4:14-33 parallel: got response, want a function without parameters [lambda: f(x) "
            "makes one of a "
            "call]");
  EXPECT_EQ(outcome_of("parallel()"), "4:5-13 parallel: no function is given");
  EXPECT_EQ(outcome_of("parallel(lambda: service(\"x\", binary = \"y\"))"),
            "4:22-29 service cannot be called in a test");
}

TEST_F(Steps, CancellingReachesEveryBranch) {
  host_.on_step = [&](const StepCall&) {
    spec_->cancel("deadline");
    return StepReply{.error = "interrupted"};
  };
  run_body(
      "def spin():\n    while True:\n        pass\nparallel(spin, spin, lambda: api.get(path = "
      "\"/\"))");
  EXPECT_TRUE(result_.cancelled);
}

TEST_F(Steps, ASeedIsABodyToo) {
  Spec& spec = load_whole(
      "def fill():\n    db.exec(sql = \"INSERT\")\n"
      "db = service(\"db\", interface(\"pg\", \"postgres\", 1), binary = \"b\", seed = fill)\n"
      "def broken():\n    assert_true(False, \"no rows\")\n"
      "service(\"x\", binary = \"b\", seed = broken)\n");
  EXPECT_TRUE(spec.run_seed(0, host_));
  EXPECT_EQ(host_.log(), Lines{"INSERT -> db.pg"});
  const auto failed = spec.run_seed(1, host_);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().what.find("spec.star:5:5: assert_true: no rows"), std::string::npos)
      << failed.error().what;
  EXPECT_FALSE(spec.run_seed(2, host_));
}

TEST_F(Steps, AResetMakesStepsAndNothingElse) {
  Spec& spec = load_whole(
      "def clean():\n    db.exec(sql = \"TRUNCATE t\")\n"
      "db = service(\"db\", interface(\"pg\", \"postgres\", 1), binary = \"b\", reset = clean)\n"
      "def broken():\n    assert_true(False, \"no rows\")\n"
      "service(\"x\", binary = \"b\", reset = broken)\n"
      "service(\"y\", binary = \"b\", reset = lambda: log(\"clean\"))\n"
      "service(\"z\", binary = \"b\", reset = lambda: fault(db, delay(\"1s\"), run = clean))\n");
  EXPECT_TRUE(spec.run_reset(0, host_));
  EXPECT_EQ(host_.log(), Lines{"TRUNCATE t -> db.pg"});
  const auto failure = [&](std::size_t callable) {
    const auto failed = spec.run_reset(callable, host_);
    return failed ? "nothing" : failed.error().what;
  };
  EXPECT_NE(failure(1).find("spec.star:5:5: assert_true: no rows"), std::string::npos);
  const std::string refused = "has no place in a reset: it changes what services hold, by steps";
  EXPECT_NE(failure(2).find(refused), std::string::npos) << failure(2);
  EXPECT_NE(failure(3).find(refused), std::string::npos) << failure(3);
  EXPECT_EQ(host_.log(), Lines{"TRUNCATE t -> db.pg"});
}

TEST_F(Steps, UnknownTestsAreErrors) {
  EXPECT_EQ(load("").run_test("test_none", host_).finding->message, "there is no test test_none");
}

}  // namespace
}  // namespace misrule::dsl
