// Whatever a spec does, it ends with an error that says where: never with a crash, a hang or all
// memory.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "fmt/format.h"
#include "tests/spec/starlark/fixture.h"

namespace misrule::star::test {
namespace {

using testing::HasSubstr;

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

struct Hostile {
  const char* name;
  std::string source;
  const char* message;
};

class HostileSource : public testing::TestWithParam<Hostile> {};

TEST_P(HostileSource, EndsWithAnError) {
  Interpreted star(
      {.limits = {.heap_bytes_max = std::size_t{8} << 20, .repr_bytes_max = std::size_t{1} << 20}});
  EXPECT_THAT(star.error_of(GetParam().source), HasSubstr(GetParam().message));
  // The runtime is as good as before.
  EXPECT_EQ(star.global("x = 1 + 1"), "2");
}

const Hostile kHostile[] = {
    {"parentheses", "x = " + repeated("(", 100000) + repeated(")", 100000), "nested too deeply"},
    {"brackets", "x = " + repeated("[", 100000), "nested too deeply"},
    {"braces", "x = " + repeated("{1:", 5000), "nested too deeply"},
    {"not_chain", "x = " + repeated("not ", 100000) + "1", "nested too deeply"},
    {"minus_chain", "x = " + repeated("-", 100000) + "1", "nested too deeply"},
    {"lambdas", "x = " + repeated("lambda: ", 100000) + "1", "nested too deeply"},
    {"conditionals", "x = " + repeated("1 if 1 else ", 100000) + "1", "nested too deeply"},
    {"sum_chain", "y = 1\nx = y" + repeated(" + y", 100000), "nested too deeply"},
    {"and_chain", "y = 1\nx = y" + repeated(" and y", 100000), "nested too deeply"},
    {"attribute_chain", "y = 1\nx = y" + repeated(".b", 100000), "nested too deeply"},
    {"call_chain", "y = 1\nx = y" + repeated("()", 100000), "nested too deeply"},
    {"index_chain", "y = 1\nx = y" + repeated("[0]", 100000), "nested too deeply"},
    {"clauses", "x = [1 " + repeated("for i in [1] ", 1000) + "]", "more than 64 clauses"},
    {"long_int", "x = " + repeated("9", 1000000), "int literal too long"},
    {"int_of_text", "x = int('9' * 1000000)", "integer too large"},
    {"squaring", "def f():\n  n = 3\n  for i in range(40):\n    n = n * n\nf()",
     "integer too large"},
    {"shift", "x = 1 << 512", "shift count too large"},
    {"string_repeat", "x = 'a' * (1 << 29)", "memory budget"},
    {"string_repeat_huge", "x = 'ab' * (1 << 30)", "excessive repeat"},
    {"list_repeat", "x = [0] * (1 << 29)", "memory budget"},
    {"repeat_count", "x = 'a' * (1 << 40)", "repeat count"},
    {"string_doubling", "def f():\n  s = 'abc'\n  for i in range(60):\n    s += s\nf()",
     "memory budget"},
    {"list_doubling", "def f():\n  s = [1]\n  for i in range(60):\n    s += s\nf()",
     "memory budget"},
    {"list_of_range", "x = list(range(1 << 40))", "memory budget"},
    {"tuple_doubling", "def f():\n  s = (1,)\n  for i in range(60):\n    s = s + s\nf()",
     "memory budget"},
    {"replace", "x = ('a' * 20000).replace('', 'b' * 20000)", "memory budget"},
    {"join", "x = ('a' * 20000).join(['b'] * 20000)", "memory budget"},
    {"split", "x = ('a,' * 500000).split(',')", "memory budget"},
    {"dict_growth", "def f():\n  d = {}\n  for i in range(1 << 40):\n    d[i] = i\nf()",
     "memory budget"},
    {"many_strings",
     "def f():\n  d = []\n  for i in range(1 << 40):\n    d.append('x' + str(i))\nf()",
     "memory budget"},
    {"recursion", "def f(): return f()\nf()", "Starlark stack overflow"},
    {"mutual_recursion", "def f(): return g()\ndef g(): return f()\nf()",
     "Starlark stack overflow"},
    {"recursion_by_key", "def f(x): return sorted([1, 2], key = f)\nf(1)",
     "Starlark stack overflow"},
    {"recursion_in_expressions", "def f(): return " + repeated("[0] + ", 200) + "f()\nf()",
     "Starlark stack overflow"},
    {"cyclic_equality", "a = [1]\na.append(a)\nb = [1]\nb.append(b)\nx = a == b",
     "maximum recursion"},
    {"exponential_equality",
     "def f():\n  a = [1]\n  b = [1]\n  for i in range(60):\n    a = [a, a]\n    b = [b, b]\n"
     "  return a == b\nf()",
     "comparison takes too long"},
    {"exponential_text",
     "def f():\n  a = [1]\n  for i in range(60):\n    a = [a, a]\n  return str(a)\nf()",
     "longer than"},
    {"exponential_json",
     "def f():\n  a = [1]\n  for i in range(60):\n    a = [a, a]\n  return json.encode(a)\nf()",
     "longer than"},
    {"deep_hash",
     "def f():\n  a = (1,)\n  for i in range(100000):\n    a = (a,)\n  return {a: 1}\nf()",
     "maximum recursion"},
    {"deep_json", "x = json.decode('[' * 100000)", "nesting is too deep"},
    {"deep_json_encode",
     "def f():\n  a = [1]\n  for i in range(20000):\n    a = [a]\n  return json.encode(a)\nf()",
     "nesting is too deep"},
    {"cyclic_json", "a = [1]\na.append(a)\nx = json.encode(a)", "cycle in JSON structure"},
    {"nul_byte", std::string("x = 1\n\0y = 2", 12), "unexpected input character '\\x00'"},
    {"form_feed", "x = 1\n\fy = 2", "unexpected input character"},
    {"open_string", "x = 'abc", "unexpected EOF in string"},
    {"open_triple", "x = '''abc\n\n", "unexpected EOF in string"},
    {"open_escape", "x = '\\", "unexpected EOF in string"},
    {"half_hex", "x = '\\x", "invalid escape sequence"},
    {"half_unicode", "x = '\\u12", "invalid escape sequence"},
    {"bad_name", "x\xff = 1", "unexpected input character"},
    {"stray_backslash", "x = 1 \\ \n", "stray backslash"},
};

INSTANTIATE_TEST_SUITE_P(All, HostileSource, testing::ValuesIn(kHostile),
                         [](const auto& info) { return info.param.name; });

std::string indented(unsigned levels) {
  std::string out = "def f():\n";
  for (unsigned i = 1; i <= levels; ++i) out += std::string(i, ' ') + "if True:\n";
  return out + std::string(levels + 1, ' ') + "pass\n";
}

TEST(SourceLimits, IndentationHasABound) {
  Interpreted star;
  EXPECT_EQ(star.error_of(indented(90)), "");
  EXPECT_THAT(star.error_of(indented(120)), HasSubstr("levels of indentation"));
}

TEST(SourceLimits, NestingIsAllowedUpToTheBound) {
  Interpreted star;
  EXPECT_EQ(star.error_of("x = " + repeated("(", 200) + "1" + repeated(")", 200)), "");
  EXPECT_EQ(star.error_of("y = 1\nx = y" + repeated(" + y", 900)), "");
}

TEST(SourceLimits, LargeFilesAreRefusedAndLongLinesAreNot) {
  Interpreted star;
  EXPECT_EQ(star.error_of("x = [" + repeated("1, ", 50000) + "]"), "");
  EXPECT_EQ(star.error_of("# " + std::string(1 << 18, 'x')), "");
  EXPECT_THAT(star.error_of(std::string((10 << 20) + 1, '#')), HasSubstr("file is larger than"));
}

TEST(SourceLimits, LongElifChainsAreNoNesting) {
  Interpreted star;
  std::string source = "def f(n):\n  if n == 0: return 0\n";
  for (int i = 1; i < 5000; ++i) source += fmt::format("  elif n == {}: return {}\n", i, i);
  EXPECT_EQ(star.global(source + "x = f(4999)"), "4999");
}

TEST(SourceLimits, ByteOrderMarkAndLineEndings) {
  Interpreted star;
  EXPECT_EQ(star.global("\xEF\xBB\xBFx = 1"), "1");
  EXPECT_EQ(star.global("x = '''a\r\nb\rc\n'''\r\ny = 1\r"), "\"a\\nb\\nc\\n\"");
  EXPECT_EQ(star.global("x = '\xff' # \xff"), "\"\xEF\xBF\xBD\"");
}

TEST(DeepData, IsDroppedFrozenAndPrinted) {
  Interpreted star;
  const char* source =
      "def f():\n  a = []\n  for i in range(200000):\n    a = [a]\n  return a\nx = f()\ny = "
      "len(str(x))";
  EXPECT_EQ(star.error_of(source), "");
  EXPECT_EQ(star.error_of("def f():\n  a = ()\n  for i in range(200000):\n    a = (a,)\n  return "
                          "a\nx = f()"),
            "");
}

TEST(Cycles, AreShownAndFreedWithTheRuntime) {
  Interpreted star;
  EXPECT_EQ(star.global("x = [1]\nx.append(x)"), "[1, [...]]");
  EXPECT_EQ(star.global("x = {}\nx['a'] = x"), "{\"a\": {...}}");
  EXPECT_EQ(star.global("y = {}\nx = struct(a = y)\ny['s'] = x"), "struct(a = {\"s\": ...})");
}

TEST(Steps, AreBounded) {
  Interpreted star({}, {.steps_max = 10000});
  EXPECT_THAT(star.error_of("def f():\n  while True: pass\nf()"), HasSubstr("too many steps"));
  EXPECT_LT(star.thread.steps(), 12000U);
  Interpreted other({}, {.steps_max = 10000});
  EXPECT_THAT(other.error_of("x = [i for i in range(1 << 40)]"), HasSubstr("too many steps"));
}

TEST(CallDepth, IsBoundedAndSaysHowDeep) {
  Interpreted star({}, {.call_depth_max = 50});
  EXPECT_EQ(star.error_of("def f(n): return 0 if n == 0 else f(n - 1)\nf(40)"), "");
  EXPECT_THAT(star.error_of("def f(n): return 0 if n == 0 else f(n - 1)\nf(60)"),
              HasSubstr("Starlark stack overflow (50 calls deep)"));
}

TEST(Cancelling, EndsALoopFromAnotherThread) {
  Interpreted star;
  std::thread other([&star] { star.thread.cancel("enough"); });
  EXPECT_EQ(star.error_of("def f():\n  while True: pass\nf()"),
            "Starlark computation cancelled: enough");
  other.join();
  EXPECT_TRUE(star.failure->cancelled);
  star.thread.cancel("a second time changes nothing");
  EXPECT_EQ(star.error_of("print('never')"), "Starlark computation cancelled: enough");
  EXPECT_TRUE(star.printed.empty());
  star.thread.reset();
  EXPECT_EQ(star.error_of("print('again')"), "");
}

/// Waits until it is woken.
class Gate {
 public:
  void open() {
    const std::lock_guard guard(lock_);
    opened_ = true;
    changed_.notify_all();
  }
  bool wait(std::chrono::seconds at_most) {
    std::unique_lock guard(lock_);
    return changed_.wait_for(guard, at_most, [this] { return opened_; });
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  bool opened_ = false;
};

TEST(Cancelling, WakesANativeThatWaits) {
  Gate entered;
  Env env;
  env.def(
      "wait",
      [&entered](Args& args) {
        Gate gate;
        const Interrupt interrupt(args.thread(), [&gate] { gate.open(); });
        {
          const Runtime::Release others(args.thread().runtime());
          entered.open();
          EXPECT_TRUE(gate.wait(std::chrono::seconds(30)));
        }
        args.thread().check_cancelled();
        return Value();
      },
      kBlocking);
  Interpreted star({.env = env});
  std::thread other([&] {
    EXPECT_TRUE(entered.wait(std::chrono::seconds(30)));
    star.thread.cancel("deadline");
  });
  EXPECT_EQ(star.error_of("wait()"), "Starlark computation cancelled: deadline");
  other.join();
}

TEST(Cancelling, CannotBeSwallowed) {
  Env env;
  env.def("stop", [](Args& args) {
    args.thread().cancel("now");
    args.thread().check_cancelled();
    return Value();
  });
  Interpreted star({.env = env});
  star.error_of("x = sorted([1, 2], key = lambda e: stop())\nprint('after')");
  EXPECT_TRUE(star.failure->cancelled);
  EXPECT_TRUE(star.printed.empty());
}

TEST(Memory, IsGivenBack) {
  Interpreted star({.limits = {.heap_bytes_max = std::size_t{1} << 20}});
  const std::string cycles =
      "def f():\n  d = {}\n  for i in range(200):\n    d[str(i)] = [i, struct(a = i), lambda: d]\n"
      "  return len(d)\nx = f()";
  EXPECT_EQ(star.error_of(cycles), "");
  // Sixteen times the budget, one list at a time.
  EXPECT_EQ(star.error_of("def f():\n  for i in range(2000):\n    x = [i] * 1000\nf()"), "");
  EXPECT_EQ(star.error_of("def f():\n  for i in range(2000):\n    s = 'a' * 8000\nf()"), "");
}

TEST(Runtimes, CanBeMadeOneAfterTheOtherAndSideBySide) {
  Value kept;
  {
    Interpreted first;
    Interpreted second;
    EXPECT_EQ(first.global("x = [1]"), "[1]");
    EXPECT_EQ(second.global("x = [2]"), "[2]");
    const auto module = first.runtime.run(first.thread, "kept.star", "x = lambda: 1");
    kept = *module.value()->global("x");
  }
  EXPECT_EQ(kept.as_function()->name(), "");  // It outlived what it belongs to.
}

}  // namespace
}  // namespace misrule::star::test
