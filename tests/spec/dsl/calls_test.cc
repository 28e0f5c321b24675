// Calls that are wrong as they stand are found before anything starts.

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using Calls = SpecTest;

constexpr std::pair<const char*, const char*> kMistakes[] = {
    {"api.gett(path = \"/\")", "4:9-13 service \"api\" has no .gett (did you mean get?)"},
    {"print(api.public.adr)", "4:22-25 api.public has no .adr"},
    {"db.main.querry(sql = \"x\")", "4:13-19 postgres.main has no .querry (did you mean query?)"},
    {"db.main.get(path = \"/\")", "4:13-16 postgres.main speaks postgres, which has no .get()"},
    {"api.get(pth = \"/\")",
     "4:13-22 get: unexpected keyword argument \"pth\" (did you mean path?)"},
    {"p = [\"/\"]\nfor x in p:\n    api.get(path = x, bdy = x)",
     "6:27-34 get: unexpected keyword argument \"bdy\" (did you mean body?)"},
    {"api.get()", "4:9-12 get: missing argument for path"},
    {"api.get(path = \"orders\")", "4:20-28 get: path \"orders\" does not begin with a slash"},
    {"assert_eventually(typ = \"proxy\")",
     "4:23-36 assert_eventually: unexpected keyword argument \"typ\" (did you mean type?) [it "
     "takes: where, service, msg, within, type]"},
    {"assert_eq(1)", "4:5-14 assert_eq: missing argument for b [it takes: a, b, msg]"},
    {"assert_eq(a = 1)", "4:5-14 assert_eq: missing argument for b [it takes: a, b, msg]"},
    {"assert_true()", "4:5-16 assert_true: missing argument for cond"},
    {"assert_true(1, \"m\", 2)", "4:5-16 assert_true: got 3 arguments, want at most 2"},
    {"fault(\"api\", drop(), run = f)",
     "4:11-16 fault: the first argument is a service or an interface, not a string"},
    {"fault(run = f)", "4:5-10 fault: the first argument is a service or an interface"},
    {"fault(api, db.main, run = f)",
     "4:16-23 fault: got interface, want error(...), delay(...) or drop(...)"},
    {"fault(api, drop(), run = api.get(path = \"/\"))",
     "4:30-49 fault: run= wants a function, not a response [run=f hands the function over; run=f() "
     "calls it before the fault]"},
    {"fault(api, drop(), run = f())", "4:30-33 fault: run= wants a function, not a response"},
    {"fault(api, drop(), run = nothing())", "4:30-39 fault: run= wants a function, not None"},
    {"fault(api, drop(), run = 7)", "4:30-31 fault: run= wants a function, not a int"},
    {"parallel(1)", "4:14-15 parallel: got int, want a function without parameters"},
    {"parallel(f, f())", "4:17-20 parallel: got response, want a function without parameters"},
    {"parallel()", "4:5-13 parallel: no function is given"},
};

const std::string kFunctions =
    "def f():\n    return api.get(path = \"/\")\n"
    "def nothing():\n    print(1)\n"
    "def maker(x):\n    def made():\n        return x\n    return made\n"
    "def chosen(x):\n    if x:\n        return f\n    return None\n";

TEST_F(Calls, MistakesAreFoundAtLoad) {
  for (const auto& [body, problem] : kMistakes) {
    const std::string got = only_problem(test_of(body) + kFunctions);
    EXPECT_TRUE(got.starts_with(problem)) << body << "\n" << got << "\nwanted\n" << problem;
  }
}

TEST_F(Calls, WhatMayBeRightIsNoError) {
  for (const char* body : {
           "fault(api, drop(), run = f)",
           "fault(api, drop(), run = maker(1))",
           "fault(api, drop(), run = chosen(1))",
           "fault(api, drop(), run = lambda: f())",
           "parallel(f, maker(2), lambda: f())",
           "for api in [1]:\n    print(api.anything)",
           "g = lambda db: db.nothing\nprint(g)",
           "k = {\"path\": \"/\"}\napi.get(**k)",
           "a = [1, 2]\nassert_eq(*a)",
           "for x in [api]:\n    x.get(path = \"/\")",
           "print(hasattr(api, \"gett\"))",
           "def fault(x):\n    return x\nfault(1)",
       }) {
    load(test_of(body) + kFunctions);
  }
  load("for s in [db, api]:\n    if s == db:\n        print(s.main)\n");
  // A name that is given twice is what it is when the body runs.
  load("x = db\nx = api\ndef test_x():\n    x.get(path = \"/\")\n");
}

}  // namespace
}  // namespace misrule::dsl
