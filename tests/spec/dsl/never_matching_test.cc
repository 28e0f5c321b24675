// Rules that no operation could ever match are errors at load.

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using NeverMatching = SpecTest;

std::string under(std::string_view fault) {
  return fmt::format("def test_x():\n    {}\ndef f():\n    pass\n", fault);
}

TEST_F(NeverMatching, PathsOfFilesAreAbsolute) {
  EXPECT_EQ(only_problem(under("fault(db, write = deny(\"EIO\", path = \"pg_wal/*\"), run = f)")),
            "4:35-52 fault: path=\"pg_wal/*\" can never match: paths of files are absolute; did "
            "you mean \"*/pg_wal/*\"?");
  EXPECT_EQ(only_problem(under("fault(db, write = deny(\"EIO\", path = \"\"), run = f)")),
            "4:35-44 fault: path= is empty: no file is called so");
  for (const char* path : {"/tmp//f", "/tmp/../f", "/tmp/./f", "/tmp/.."}) {
    const std::string problem = only_problem(
        under(fmt::format("fault(db, open = deny(\"EIO\", path = \"{}\"), run = f)", path)));
    EXPECT_NE(problem.find("can never match"), std::string::npos) << problem;
  }
  for (const char* path : {"*/pg_wal/*", "/tmp/f", "?tmp/f", "*", "/tmp/..f", "/..."}) {
    load(under(fmt::format("fault(db, write = deny(\"EIO\", path = \"{}\"), run = f)", path)));
  }
}

TEST_F(NeverMatching, ATargetIsNotItsOwnSource) {
  const std::string told =
      "fault: source= is the target itself: what postgres sends to itself passes no proxy, so the "
      "rule can never match";
  EXPECT_EQ(only_problem(under("fault(db, drop(query = \"x\", source = db), run = f)")),
            "4:33-44 " + told);
  EXPECT_EQ(only_problem(under("fault(db, drop(query = \"x\"), source = \"postgres\", run = f)")),
            "4:34-53 " + told);
  load(under("fault(db, drop(query = \"x\", source = api), run = f)"));
}

TEST_F(NeverMatching, AServiceIsNotCutOffFromItself) {
  const std::string told =
      "fault: to= is the target itself: a connection of api to itself is never denied or delayed";
  EXPECT_EQ(only_problem(under("fault(api, connect = deny(\"EIO\", to = api), run = f)")),
            "4:38-46 " + told);
  const std::string by_fault =
      only_problem(under("fault(api, connect = deny(\"EIO\"), to = api.public, run = f)"));
  EXPECT_NE(by_fault.find(told), std::string::npos) << by_fault;
  load(under("fault(api, connect = deny(\"EIO\"), to = db, run = f)"));
}

}  // namespace
}  // namespace misrule::dsl
