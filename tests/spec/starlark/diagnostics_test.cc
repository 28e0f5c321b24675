// What people see when a spec is wrong.

#include "tests/spec/starlark/fixture.h"

namespace misrule::star::test {
namespace {

using testing::HasSubstr;

TEST(Rendering, MarksTheSpanAndSuggests) {
  Interpreted star;
  star.error_of("def shop():\n\tprices = [1]\n\treturn prcies[0]\n");
  EXPECT_EQ(render(star.failure->problems.front(), false),
            "error[SPEC_NAME]: undefined: prcies (did you mean prices?)\n"
            "  --> spec.star:3:9\n"
            "3 |         return prcies[0]\n"
            "  |                ^^^^^^\n");
}

TEST(Rendering, ShowsLabelsHelpAndCalls) {
  Interpreted star;
  star.error_of(
      "def pay(amount, currency = 'EUR'):\n    pass\n\ndef test():\n    pay(amont = "
      "3)\n\ntest()\n");
  EXPECT_EQ(render(star.failure->problems.front(), false),
            "error[SPEC_ARG]: function pay got an unexpected keyword argument \"amont\" (did you "
            "mean amount?)\n"
            "  --> spec.star:5:5\n"
            "5 |     pay(amont = 3)\n"
            "  |     ^^^\n"
            "  --> spec.star:1:5  defined here\n"
            "1 | def pay(amount, currency = 'EUR'):\n"
            "  |     ---\n"
            "  = help: it takes: amount, currency\n"
            "  called from:\n"
            "    spec.star:7:1 in <toplevel>\n");
}

TEST(Rendering, ColorsOnlyWhenAsked) {
  Interpreted star;
  star.error_of("x = y");
  EXPECT_THAT(render(star.failure->problems.front(), true), HasSubstr("\x1b[1;31m"));
  EXPECT_EQ(render(star.failure->problems.front(), false).find('\x1b'), std::string::npos);
}

TEST(Rendering, LongLinesAreCutAroundTheMark) {
  Interpreted star;
  star.error_of("x = '" + std::string(3000, 'a') + "' + y + '" + std::string(3000, 'b') + "'");
  const std::string text = render(star.failure->problems.front(), false);
  EXPECT_LT(text.size(), 600U);
  EXPECT_THAT(text, HasSubstr("' + y + '"));
}

TEST(Rendering, HostileBytesAreNotSentToTheTerminal) {
  Interpreted star;
  star.error_of("x = y # \x1b[2J\x07");
  EXPECT_EQ(render(star.failure->problems.front(), false).find('\x1b'), std::string::npos);
}

TEST(StaticErrors, AreAllReported) {
  Interpreted star;
  star.error_of("a = b\nbreak\ndef f(x, x): return c\nreturn 1\nf(k = 1, k = 2)\n");
  ASSERT_EQ(star.failure->problems.size(), 6U);
  EXPECT_EQ(to_line(star.failure->problems[1]), "spec.star:2:1: break not in a loop");
}

TEST(StaticErrors, SyntaxErrorsInSeveralStatementsAreAllReported) {
  Interpreted star;
  star.error_of("a = (1,\n  2\nb = 1 +\ndef f(:\n    x = 1\n    y = )\nc = 3 4\nd = 5\n");
  std::vector<unsigned> lines;
  for (const Diagnostic& problem : star.failure->problems) {
    lines.push_back(problem.at.position().line);
  }
  EXPECT_THAT(lines, testing::ElementsAre(3U, 4U, 7U));
}

TEST(StaticErrors, AnUnindentThatFitsNoLevelIsOneError) {
  Interpreted star;
  EXPECT_EQ(star.error_of("if True:\n    x = 1\n  y = 2\nz = 3\nif True:\n    w = 1\n"),
            "unindent does not match any outer indentation level");
}

TEST(StaticErrors, SomePythonIsAnsweredWithWhatToWrite) {
  const std::pair<const char*, const char*> kCases[] = {
      {"x = 1 is 2", "write =="},
      {"x = 1 is not 2", "write !="},
      {"x = f'a'", "there are no f-strings"},
      {"x = 1 < 2 < 3", "write `a < b and b < c`"},
      {"import os", "load("},
      {"class A: pass", "there are no classes"},
      {"try:\n  pass\n", "there are no exceptions"},
      {"x = {1, 2}", "set([1, 2])"},
      {"x = 2 ** 3", "there is no power operator"},
      {"x = 'a' 'b'", "put + between them"},
      {"x = y.load", "getattr"},
      {"x = max(i for i in [1])", "there are no generators"},
      {"a = b = 1", "assign once"},
  };
  for (const auto& [source, help] : kCases) {
    Interpreted star;
    EXPECT_NE(star.error_of(source), "") << source;
    EXPECT_THAT(star.failure->problems.front().help, HasSubstr(help)) << source;
  }
}

std::vector<Diagnostic> lints_of(Interpreted& star, const std::string& source) {
  return star.runtime.check("spec.star", source);
}

TEST(Lints, IsNoneIsReadAsEquality) {
  Interpreted star;
  EXPECT_EQ(star.global("y = None\nx = (y is None, y is not None, 1 is not None, None is None)"),
            "(True, False, True, True)");
  const auto lints = lints_of(star, "x = 1 is not None");
  ASSERT_EQ(lints.size(), 1U);
  EXPECT_EQ(lints[0].severity, Severity::kNote);
  EXPECT_EQ(lints[0].message, "`is not None` is read as `!= None`");
}

TEST(Lints, RebindingNamesBothPlaces) {
  Interpreted star;
  EXPECT_EQ(star.global("x = 1\nx = 2"), "2");
  const auto lints = lints_of(star, "x = 1\ny = 2\nx = 3\n");
  ASSERT_EQ(lints.size(), 1U);
  EXPECT_EQ(lints[0].severity, Severity::kWarning);
  EXPECT_EQ(lints[0].at.position().line, 3U);
  EXPECT_EQ(lints[0].labels[0].at.position().line, 1U);
  EXPECT_TRUE(lints_of(star, "x = 1\nx += 2\nfor i in [1]: pass\nfor i in [2]: pass\n").empty());
  EXPECT_TRUE(lints_of(star, "if True: x = 1\nelse: x = 2\n").empty());
}

TEST(Lints, RebindingADefIsAnError) {
  Interpreted star;
  EXPECT_EQ(star.error_of("def test_a(): pass\ndef test_a(): pass\n"),
            "cannot reassign global test_a declared at spec.star:1:5");
  EXPECT_NE(star.error_of("def f(): pass\nf = 1\n"), "");
  EXPECT_NE(star.error_of("f = 1\ndef f(): pass\n"), "");
}

TEST(Suggestions, AreNearOrNothing) {
  const std::string_view names[] = {"append", "extend", "pop"};
  EXPECT_EQ(nearest("apend", names), "append");
  EXPECT_EQ(nearest("App_end", names), "append");
  EXPECT_EQ(nearest("appned", names), "append");
  EXPECT_EQ(nearest("zzz", names), "");
}

}  // namespace
}  // namespace misrule::star::test
