// assert.eq and its relatives; freeze; hasfields; fibonacci.

#include "tests/spec/starlark/assert_module.h"

#include <cmath>

#include <re2/re2.h>

#include "fmt/format.h"

namespace misrule::star::test {
namespace {

void report(Args& args, const std::string& what) {
  const Position at = args.thread().here().position();
  static_cast<Reports*>(args.thread().runtime().user())
      ->push_back(fmt::format("{}:{}:{}: {}", at.path, at.line, at.column, what));
}

Value binary(Args& args, const char* symbol, bool holds) {
  if (!holds) report(args, fmt::format("{} {} {}", args[0].repr(), symbol, args[1].repr()));
  return {};
}

// Mixed numbers may differ by the last bit.
bool almost_equal(const Value& a, const Value& b) {
  if (a.equals(b)) return true;
  if (a.kind() == b.kind()) return false;
  const auto x = a.as_number();
  const auto y = b.as_number();
  return x && y && std::fabs(*x - *y) <= std::fabs(*x) * 1e-15;
}

Value assert_eq(Args& args) {
  Value a;
  Value b;
  args.unpack_positional({required("x", a), required("y", b)});
  return binary(args, "!=", almost_equal(a, b));
}

Value assert_ne(Args& args) {
  Value a;
  Value b;
  args.unpack_positional({required("x", a), required("y", b)});
  return binary(args, "==", !a.equals(b));
}

Value call_predeclared(Args& args, const char* name) {
  Runtime& runtime = args.thread().runtime();
  const auto module = runtime.run(args.thread(), fmt::format("<{}>", name),
                                  fmt::format("f = lambda x, y: {}", name));
  return runtime.call(args.thread(), *module.value()->global("f"), args.positional());
}

Value assert_lt(Args& args) { return binary(args, ">=", call_predeclared(args, "x < y").truth()); }
Value assert_contains(Args& args) {
  return binary(args, "does not contain", call_predeclared(args, "y in x").truth());
}

Value assert_true(Args& args) {
  Value condition;
  Value message = Value::string("assertion failed");
  args.unpack({required("cond", condition), optional("msg", message)});
  if (!condition.truth()) report(args, message.text());
  return {};
}

Value assert_fail(Args& args) {
  Value message;
  args.unpack({required("msg", message)});
  report(args, message.text());
  return {};
}

Value assert_fails(Args& args) {
  Callable function;
  std::string pattern;
  args.unpack({required("f", function), required("pattern", pattern)});
  try {
    args.thread().runtime().call(args.thread(), function.value, {});
    report(args, fmt::format("evaluation succeeded, want error matching {}", pattern));
  } catch (const EvalError& error) {
    if (!text_matches(pattern, error.what())) {
      report(args, fmt::format("error {} does not match {}", error.what(), pattern));
    }
  }
  return {};
}

Value freeze(Args& args) {
  Value x;
  args.unpack_positional({required("x", x)});
  x.freeze();
  return x;
}

class HasFields final : public HostObject {
 public:
  std::string_view type_name() const override { return "hasfields"; }
  std::uint64_t hash() const override { return 42; }
  std::optional<Value> dynamic_attribute(Symbol name) override {
    const Value* found = fields_->find(name.text());
    if (found == nullptr) return std::nullopt;
    return *found;
  }
  void list_dynamic_attributes(std::vector<Symbol>& out) const override {
    std::size_t cursor = 0;
    while (const Table::Entry* entry = fields_->table().next(cursor)) {
      out.emplace_back(*entry->key.as_string());
    }
  }
  void set_attribute(Symbol name, Value value) override {
    if (is_frozen()) raise(code::kFrozen, "cannot set field on a frozen hasfields");
    if (name.text().starts_with("no")) raise_no_attribute(name);
    fields_->set(name.text(), std::move(value));
  }
  std::optional<Value> binary(BinaryOp op, const Value& other, bool self_is_left) override {
    if (op != BinaryOp::kAdd || self_is_left || other.as_list() == nullptr) return std::nullopt;
    return Value::integer(42);
  }
  void visit_children(ValueVisitor& visitor) const override {
    visitor.visit(Value::object(fields_));
  }
  void drop_children() override { fields_ = make<Dict>(); }

 private:
  Ref<Dict> fields_ = make<Dict>();
};

class Fibonacci final : public HostObject {
 public:
  std::string_view type_name() const override { return "fibonacci"; }
  std::unique_ptr<Iterator> iterate() override {
    class Steps final : public Iterator {
     public:
      std::optional<Value> next() override {
        const std::int64_t out = a_;
        a_ = std::exchange(b_, a_ + b_);
        return Value::integer(out);
      }

     private:
      std::int64_t a_ = 0;
      std::int64_t b_ = 1;
    };
    return std::make_unique<Steps>();
  }
};

}  // namespace

bool text_matches(const std::string& pattern, const std::string& text) {
  const RE2 regex(pattern, RE2::Quiet);
  if (!regex.ok()) return text.find(pattern) != std::string::npos;
  return RE2::PartialMatch(text, regex);
}

void add_test_names(Env& env) {
  const auto fn = [](const char* name, NativePointer pointer) {
    return std::pair(Symbol(name), NativeFunction::make(name, pointer));
  };
  env.set("__assert",
          Value::of(new Namespace(
              "assert", {fn("contains", assert_contains), fn("eq", assert_eq),
                         fn("fail", assert_fail), fn("fails", assert_fails), fn("lt", assert_lt),
                         fn("ne", assert_ne), fn("true", assert_true)})));
  env.def("__freeze", [](Args& args) { return freeze(args); });
  env.set("freeze_in_place", NativeFunction::make("freeze", freeze));
  env.def("hasfields", [](Args&) { return Value::object(make<HasFields>()); });
  env.set("fibonacci", Value::object(make<Fibonacci>()));
}

Result<std::string> LibraryLoader::canonical(const std::string&, const std::string& path) {
  return path;
}

Result<std::string> LibraryLoader::read(const std::string& canonical) {
  if (canonical == "assert.star") return "assert = __assert\nfreeze = freeze_in_place\n";
  if (canonical == "json.star") return "load('hidden.star', j='json_')\njson = j\n";
  if (canonical == "hidden.star") return "json_ = json\n";
  return fail(Code::kNotFound, fmt::format("{}: no such file", canonical));
}

}  // namespace misrule::star::test
