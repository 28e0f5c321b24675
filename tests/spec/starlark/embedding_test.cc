// What a host can do: natives, objects, spans of arguments, threads, modules, syntax trees.

#include <thread>

#include "fmt/format.h"
#include "tests/spec/starlark/fixture.h"

namespace misrule::star::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A field value: text that equals its number, too (what events give).
class Field final : public HostObject {
 public:
  static constexpr std::string_view kTypeName = "field";
  explicit Field(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }

  std::string_view type_name() const override { return kTypeName; }
  void write_repr(Writer& out) const override { out.repr(Value::string(text_)); }
  void write_text(Writer& out) const override { out.text(text_); }
  std::optional<bool> equals(const Value& other) const override {
    if (const auto number = other.as_int()) return std::to_string(*number) == text_;
    const auto text = other.as_string();
    return text && *text == text_;
  }
  std::optional<int> compare(const Value& other) const override {
    const auto number = other.as_int();
    if (!number) return std::nullopt;
    const auto mine = std::stoll(text_);
    return mine < *number ? -1 : static_cast<int>(mine > *number);
  }
  std::optional<Value> binary(BinaryOp op, const Value& other, bool self_is_left) override {
    const auto text = other.as_string();
    if (op != BinaryOp::kAdd || !text) return std::nullopt;
    return Value::string(self_is_left ? text_ + std::string(*text) : std::string(*text) + text_);
  }
  std::optional<Value> unwrapped() const override { return Value::string(text_); }
  std::optional<Value> dynamic_attribute(Symbol name) override {
    return Value::string(text_).attribute(name);
  }

 private:
  std::string text_;
};

/// Static members, items, iteration, and a value inside.
class Event final : public HostObject {
 public:
  static constexpr std::string_view kTypeName = "event";
  explicit Event(Value data) : data_(std::move(data)) {}
  std::string_view type_name() const override { return kTypeName; }
  const MemberTable* members() const override {
    static const MemberTable* const kMembers =
        new MemberTable{{.name = "data", .fn = data, .is_property = true},
                        {.name = "get", .fn = get},
                        {.name = "service", .fn = service, .is_property = true}};
    return kMembers;
  }
  std::optional<Value> item(const Value& key) override {
    const auto name = key.as_string();
    if (name && *name == "path") return Value::object(make<Field>("200"));
    raise(code::kValue, fmt::format("event has no field {}", key.repr()));
  }
  void visit_children(ValueVisitor& visitor) const override { visitor.visit(data_); }
  void drop_children() override { data_ = Value(); }

 private:
  static Value data(Args& args) { return args.self().as<Event>()->data_; }
  static Value service(Args&) { return Value::string("db"); }
  static Value get(Args& args) {
    std::string key;
    Value fallback;
    args.unpack_positional({required("key", key), optional("default", fallback)});
    return key == "path" ? Value::object(make<Field>("200")) : fallback;
  }
  Value data_;
};

Env with_event() {
  Env env;
  env.def("event", [](Args& args) {
    Value data;
    args.unpack({optional("data", data)});
    return Value::object(make<Event>(data));
  });
  return env;
}

TEST(HostObjects, AnswerForEverySyntax) {
  Interpreted star({.env = with_event()});
  const auto holds = [&star](const std::string& expression) {
    return star.global("e = event(data = {'n': 1})\nx = " + expression);
  };
  for (const char* expression : {"e.service == 'db'",
                                 "e.data['n'] == 1",
                                 "e['path'] == 200",
                                 "200 == e['path']",
                                 "e['path'] == '200'",
                                 "e['path'] != 404",
                                 "e['path'] < 300",
                                 "300 > e['path']",
                                 "e['path'] in [200, 201]",
                                 "'a' + e['path'] == 'a200'",
                                 "e['path'] + 'b' == '200b'",
                                 "int(e['path']) == 200",
                                 "'%s' % e['path'] == '200'",
                                 "str(e['path']) == '200'",
                                 "e['path'].startswith('2')",
                                 "'2002'.startswith(e['path'])",
                                 "e['path'] in '12003'",
                                 "e.get('nothing', 5) == 5",
                                 "e.get('path') == 200",
                                 "json.encode([e['path']]) == '[\"200\"]'",
                                 "'-'.join([e['path'], 'x']) == '200-x'",
                                 "hasattr(e, 'data')",
                                 "not hasattr(e, 'dato')",
                                 "dir(e) == ['data', 'get', 'service']",
                                 "type(e) == 'event'",
                                 "getattr(e, 'service') == 'db'",
                                 "getattr(e, 'nope', 3) == 3"}) {
    EXPECT_EQ(holds(expression), "True") << expression;
  }
  EXPECT_EQ(holds("e.servce"),
            "error: event has no .servce field or method (did you mean .service?)");
  EXPECT_EQ(holds("e['x']"), "error: event has no field \"x\"");
  EXPECT_EQ(holds("e < 1"), "error: event < int not implemented");
  EXPECT_EQ(holds("{e: 1}"), "error: unhashable: event");
  EXPECT_EQ(holds("[i for i in e]"), "error: event value is not iterable");
  EXPECT_EQ(holds("e()"), "error: invalid call of non-function (event)");
  EXPECT_EQ(holds("len(e)"), "error: len: value of type event has no len");
}

TEST(HostObjects, AreFrozenThroughAndFreed) {
  Interpreted star({.env = with_event()});
  EXPECT_THAT(star.error_of("l = []\ne = event(data = l)\nl.append(e)\n"
                            "def f(): e.data.append(1)\n"),
              "");
  const auto module = star.runtime.run(star.thread, "a.star",
                                       "l = []\ne = event(data = l)\nl.append(e)\n"
                                       "def f(): e.data.append(1)\n");
  const auto result = star.runtime.try_call(star.thread, *module.value()->global("f"), {});
  EXPECT_EQ(result.error().problems.front().message, "append: cannot append to frozen list");
}

/// What a call looked like to the native.
struct Recorded {
  std::vector<std::string> spans;
};

Env with_recorder(Recorded& recorded) {
  Env env;
  env.def("record", [&recorded](Args& args) {
    recorded.spans.clear();
    recorded.spans.emplace_back(args.callee_span().text());
    for (std::size_t i = 0; i < args.size(); ++i) recorded.spans.emplace_back(args.source(i));
    for (std::size_t k = 0; k < args.keywords().size(); ++k) {
      recorded.spans.emplace_back(args.keyword_span(k).text());
      recorded.spans.emplace_back(args.keyword_value_span(k).text());
    }
    return Value::list({args.positional().begin(), args.positional().end()});
  });
  return env;
}

TEST(ArgumentSpans, AreThoseOfTheText) {
  Recorded recorded;
  Interpreted star({.env = with_recorder(recorded)});
  star.error_of("a = 2\nrecord(1 + 1, a, write = [a ], connect = 3)");
  EXPECT_THAT(recorded.spans,
              ElementsAre("record", "1 + 1", "a", "write = [a ]", "[a ]", "connect = 3", "3"));
  star.error_of("d = {'k': 1}\nrecord(0, *[1, 2], **d)");
  EXPECT_THAT(recorded.spans, ElementsAre("record", "0", "*[1, 2]", "*[1, 2]", "**d", "d"));
  star.error_of("s = struct(r = record)\ns.r(7, k = 8)");
  EXPECT_THAT(recorded.spans, ElementsAre("s.r", "7", "k = 8", "8"));
}

TEST(ArgumentSpans, ErrorsPointAtTheArgument) {
  Env env;
  env.def("fault", [](Args& args) {
    std::string target;
    std::optional<double> probability;
    Callable run;
    std::vector<std::size_t> rest;
    args.unpack({required("target", target), optional("probability", probability).by_keyword(),
                 required("run", run).by_keyword()});
    return Value();
  });
  Interpreted star({.env = env});
  const auto at = [&star] { return star.failure->problems.front().at.text(); };
  EXPECT_EQ(star.error_of("fault('db', probablity = 3, run = len)"),
            "fault: unexpected keyword argument \"probablity\" (did you mean probability?)");
  EXPECT_EQ(at(), "probablity = 3");
  EXPECT_EQ(star.failure->problems.front().help, "it takes: target, probability, run");
  EXPECT_EQ(star.error_of("fault('db', probability = 'x', run = len)"),
            "fault: for parameter \"probability\": got string, want float");
  EXPECT_EQ(at(), "'x'");
  EXPECT_EQ(star.error_of("fault(5, run = len)"),
            "fault: for parameter target: got int, want string");
  EXPECT_EQ(at(), "5");
  EXPECT_EQ(star.error_of("fault('db')"), "fault: missing argument for run");
  EXPECT_EQ(at(), "fault");
  EXPECT_EQ(star.error_of("fault('db', 0.5, run = len)"), "fault: got 2 arguments, want 1");
  EXPECT_EQ(at(), "0.5");
  EXPECT_EQ(star.error_of("fault('db', target = 'x', run = len)"),
            "fault: got multiple values for keyword argument \"target\"");
  EXPECT_EQ(star.error_of("fault('db', probability = None, run = len)"), "");
}

TEST(Functions, SayWhatTheyAre) {
  Interpreted star;
  const auto module = star.runtime.run(star.thread, "spec.star",
                                       "def test_a(x, y = 1, *rest, k, o = 2, **kw):\n"
                                       "    \"What it is for.\"\n    pass\n"
                                       "g = lambda r: r\n");
  const Runtime::Enter entered(star.runtime);
  const Value f = *module.value()->global("test_a");
  const Function& function = *f.as_function();
  EXPECT_EQ(function.name(), "test_a");
  EXPECT_EQ(function.doc(), "What it is for.");
  EXPECT_FALSE(function.is_lambda());
  EXPECT_EQ(function.def_span().text(), "test_a");
  EXPECT_EQ(function.def_span().position().line, 1U);
  EXPECT_EQ(function.parameter_count(), 4U);
  EXPECT_EQ(function.required_count(), 2U);
  EXPECT_EQ(function.parameter_name(2), "k");
  EXPECT_TRUE(function.has_varargs());
  EXPECT_TRUE(function.has_kwargs());
  const Value g = *module.value()->global("g");
  EXPECT_TRUE(g.as_function()->is_lambda());
  EXPECT_TRUE(g.as_function()->accepts(1));
  EXPECT_FALSE(g.as_function()->accepts(2));
  EXPECT_EQ(g.as_function()->whole_span().text(), "lambda r: r");
}

TEST(Calls, ComeBackWithTheCallersFrames) {
  Env env;
  env.def("run", [](Args& args) {
    Callable f;
    args.unpack({required("f", f)});
    return args.thread().runtime().call(args.thread(), f.value, {});
  });
  Interpreted star({.env = env});
  EXPECT_EQ(star.error_of("def inner():\n  return 1 // 0\ndef outer():\n  run(inner)\nouter()\n"),
            "floored division by zero");
  const Diagnostic& problem = star.failure->problems.front();
  EXPECT_EQ(backtrace(problem),
            "Traceback (most recent call last):\n"
            "  spec.star:5:1: in <toplevel>\n"
            "  spec.star:4:3: in outer\n"
            "  <builtin>: in run\n"
            "  spec.star:2:10: in inner\n"
            "Error: floored division by zero");
}

TEST(Calls, NativesThatThrowAreErrorsOfTheSpec) {
  Env env;
  env.def("broken", [](Args&) -> Value { throw std::runtime_error("disk on fire"); });
  Interpreted star({.env = env});
  EXPECT_EQ(star.error_of("x = [broken()]"), "broken: internal: disk on fire");
}

class Halt final : public Unwind {};

TEST(Calls, AnUnwindOfTheHostGetsThroughEverything) {
  Env env;
  env.def("halt", [](Args&) -> Value { throw Halt(); });
  Interpreted star({.env = env});
  const auto module = star.runtime.run(star.thread, "a.star",
                                       "def f(): return max([1, 2], key = lambda e: halt())");
  EXPECT_THROW((void)star.runtime.try_call(star.thread, *module.value()->global("f"), {}), Halt);
  EXPECT_TRUE(star.thread.frames().empty());
  EXPECT_EQ(star.global("x = 1"), "1");
}

TEST(Forbidding, RefusesByFlag) {
  Env env;
  env.def("service", [](Args&) { return Value(); }, kRegisters);
  env.def("check", [](Args& args) {
    const Forbid forbid(args.thread(), kRegisters, "in a predicate");
    return args.thread().runtime().call(args.thread(), args[0], {});
  });
  Interpreted star({.env = env});
  EXPECT_EQ(star.error_of("service()\ncheck(lambda: 1)"), "");
  EXPECT_EQ(star.error_of("check(lambda: service())"), "service cannot be called in a predicate");
  EXPECT_EQ(star.error_of("service()"), "");
}

TEST(Threads, TakeTurnsAndShareValues) {
  Env env;
  env.def(
      "pause",
      [](Args& args) {
        const Runtime::Release others(args.thread().runtime());
        std::this_thread::yield();
        return Value();
      },
      kBlocking);
  Interpreted star({.env = env});
  const auto module = star.runtime.run(
      star.thread, "a.star",
      "def make():\n  seen = []\n  def add(n):\n    for i in range(300):\n      seen.append(n)\n"
      "      if i % 50 == 0: pause()\n    return len(seen)\n  return add, lambda: seen\n");
  const auto pair = star.runtime.try_call(star.thread, *module.value()->global("make"), {});
  Value add;
  Value seen;
  {
    const Runtime::Enter entered(star.runtime);
    add = pair->as_tuple()->items()[0];
    seen = pair->as_tuple()->items()[1];
  }
  const auto work = [&](int number) {
    Thread thread(star.runtime, fmt::format("branch {}", number));
    const Runtime::Enter entered(star.runtime);
    const Value n = Value::integer(number);
    EXPECT_TRUE(star.runtime.try_call(thread, add, std::span(&n, 1)).has_value());
  };
  std::thread one(work, 1);
  std::thread two(work, 2);
  one.join();
  two.join();
  const auto all = star.runtime.try_call(star.thread, seen, {});
  const Runtime::Enter entered(star.runtime);
  EXPECT_EQ(all->as_list()->size(), 600U);
}

TEST(Threads, ALongLoopLetsOthersIn) {
  Interpreted star;
  const auto module =
      star.runtime.run(star.thread, "a.star",
                       "def spin(flag):\n  while not flag[0]: pass\ndef stop(flag): flag[0] = 1");
  Value flag;
  {
    const Runtime::Enter entered(star.runtime);
    flag = Value::list({Value::integer(0)});
  }
  std::thread other([&] {
    Thread thread(star.runtime, "other");
    (void)star.runtime.try_call(thread, *module.value()->global("stop"), std::span(&flag, 1));
  });
  EXPECT_TRUE(
      star.runtime.try_call(star.thread, *module.value()->global("spin"), std::span(&flag, 1))
          .has_value());
  other.join();
}

TEST(Modules, RunOnceAndAreFrozen) {
  Interpreted star;
  star.loader.files["lib.star"] =
      "print('lib')\nitems = []\n_hidden = 1\ndef add(): items.append(1)";
  star.loader.files["mid.star"] = "load('lib.star', 'items')\ncopy = items";
  const auto module = star.runtime.run(
      star.thread, "spec.star",
      "load('lib.star', 'items', add = 'add')\nload('mid.star', 'copy')\nx = items == copy");
  ASSERT_TRUE(module.has_value());
  EXPECT_THAT(star.printed, ElementsAre("lib"));
  EXPECT_THAT(module.value()->names(), ElementsAre("x"));
  EXPECT_EQ(module.value()->loaded().size(), 2U);
  EXPECT_EQ(star.runtime.modules().size(), 3U);
  EXPECT_EQ(star.error_of("load('lib.star', 'add')\nadd()"),
            "append: cannot append to frozen list");
}

TEST(Modules, ErrorsOfLoadingSayWhere) {
  Interpreted star;
  star.loader.files["lib.star"] = "items = []";
  star.loader.files["bad.star"] = "x = y\nz = w";
  star.loader.files["fails.star"] = "x = 1 // 0";
  star.loader.files["a.star"] = "load('b.star', 'x')";
  star.loader.files["b.star"] = "load('a.star', 'x')";
  EXPECT_EQ(star.error_of("load('lib.star', 'item')"),
            "load: name item not found in module lib.star (did you mean items?)");
  EXPECT_EQ(star.error_of("load('none.star', 'x')"), "cannot load none.star: no such file");
  EXPECT_EQ(star.error_of("load('bad.star', 'x')"), "undefined: y");
  EXPECT_EQ(star.failure->problems.size(), 2U);
  EXPECT_EQ(star.failure->problems[0].labels[0].text, "loaded here");
  EXPECT_EQ(star.error_of("load('fails.star', 'x')"),
            "cannot load fails.star: floored division by zero");
  EXPECT_EQ(star.failure->problems[0].cause->at.position().path, "fails.star");
  EXPECT_THAT(star.error_of("load('a.star', 'x')"), HasSubstr("cycle in load graph"));
}

TEST(Syntax, KeywordsOfCallsAndBodiesOfLambdasCanBeFound) {
  class Finder final : public SyntaxVisitor {
   public:
    std::vector<std::string> found;
    void visit_call(const CallExpr& call) override {
      for (const Argument& argument : call.arguments) {
        if (argument.kind == ArgumentKind::kKeyword) {
          found.push_back(dotted_name(*call.callee) + ":" + std::string(argument.name.text()));
        }
      }
      SyntaxVisitor::visit_call(call);
    }
    void visit_lambda(const LambdaExpr& lambda) override {
      if (lambda.function.value->kind == ExprKind::kLogical) found.emplace_back("and");
      SyntaxVisitor::visit_lambda(lambda);
    }
  };
  Interpreted star;
  Finder finder;
  const auto module =
      star.runtime.run(star.thread, "spec.star",
                       "def test():\n  if True:\n    print(sep = dict(write = 1))\n"
                       "x = [f.g(a = 1) for f in []]\ny = lambda e: e.type == 'a' and e.b == 1\n");
  finder.visit_file(module.value()->syntax());
  EXPECT_THAT(finder.found, ElementsAre("print:sep", "dict:write", "f.g:a", "and"));
}

TEST(Json, GoesBothWays) {
  Interpreted star;
  const Runtime::Enter entered(star.runtime);
  const auto value = decode_json(R"({"b": [1, 2.0, "x", null, true], "a": 12345678901234567890})");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->repr(), R"({"b": [1, 2.0, "x", None, True], "a": 12345678901234567890})");
  EXPECT_EQ(encode_json(*value), R"({"a":12345678901234567890,"b":[1,2.0,"x",null,true]})");
  EXPECT_FALSE(decode_json("{").has_value());
}

}  // namespace
}  // namespace misrule::star::test
