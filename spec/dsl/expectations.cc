// expect_*(): functions of what a scenario returned, for expect=, control= and default_expect=.

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "base/glob.h"
#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/session.h"
#include "spec/dsl/step_value.h"

namespace misrule::dsl {

using star::Args;
using star::Span;
using star::Value;

namespace {

constexpr std::size_t kShownBytes = 400;

/// Empty: it is as expected; else what was expected.
using Judge = std::function<std::string(const StepReply&)>;

[[noreturn]] void fail_expectation(const std::string& name, Span at, const std::string& expected,
                                   const Value& got) {
  star::raise({.code = star::code::kFail,
               .message = fmt::format("{}: expected {}, got {}", name, expected,
                                      shortened(got.repr(), kShownBytes)),
               .at = at});
}

/// A list (what parallel() returns) is as expected if each of its elements is.
void judge_each(const std::string& name, Span at, const Judge& judge, const Value& value) {
  if (value.as_list() != nullptr || value.as_tuple() != nullptr) {
    for (const Value& item : value.elements()) judge_each(name, at, judge, item);
    return;
  }
  const auto* response = value.as<ResponseValue>();
  if (response == nullptr) fail_expectation(name, at, "a response", value);
  const std::string expected = judge(response->reply());
  if (!expected.empty()) fail_expectation(name, at, expected, value);
}

Value expectation(const Args& args, Judge judge) {
  const std::string name(args.name());
  return star::NativeFunction::make(
      name, [name, at = args.call_span(), judge = std::move(judge)](Args& called) {
        Value value;
        called.unpack({star::required("result", value)});
        judge_each(name, at, judge, value);
        return Value::none();
      });
}

/// 503, or "5xx".
bool is_status(const Value& wanted, int status) {
  if (const auto number = wanted.as_int()) return *number == status;
  const auto text = wanted.as_string();
  return text && std::string_view(*text).front() - '0' == status / 100;
}

void check_status(const Args& args, const Value& wanted, Span at) {
  const auto text = wanted.as_string();
  const bool is_class = text && text->size() == 3 && text->substr(1) == "xx" && (*text)[0] >= '1' &&
                        (*text)[0] <= '5';
  if (is_class || wanted.as_int()) return;
  args.fail_at(at, star::code::kArgument,
               fmt::format("got {}, want a status such as 503, or \"5xx\"", wanted.repr()));
}

}  // namespace

Value expect_ok(Args& args) {
  args.unpack({});
  return expectation(args,
                     [](const StepReply& reply) { return reply.ok ? "" : "an answer that is ok"; });
}

Value expect_status(Args& args) {
  unpack_keywords(args, {});
  if (args.size() == 0) args.fail(star::code::kArgument, "no status is given");
  std::vector<Value> wanted;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < args.size(); ++i) {
    check_status(args, args[i], args.span(i));
    wanted.push_back(args[i]);
    texts.push_back(args[i].text());
  }
  return expectation(args, [wanted, text = "status " + listed(texts)](const StepReply& reply) {
    const auto fits = [&reply](const Value& one) { return is_status(one, reply.status); };
    return std::ranges::any_of(wanted, fits) ? std::string() : text;
  });
}

Value expect_error(Args& args) {
  std::optional<std::string> code;
  std::optional<std::string> message;
  args.unpack({star::optional("code", code), star::optional("message", message).by_keyword()});
  std::string text = "an error";
  if (code) text += fmt::format(" with code {}", *code);
  if (message) text += fmt::format(" that says {}", *message);
  return expectation(args, [code, message, text](const StepReply& reply) {
    const std::string& said = reply.error.empty() ? reply.body : reply.error;
    const bool fits =
        !reply.ok && (!code || reply.code == *code) && (!message || Glob(*message).matches(said));
    return fits ? std::string() : text;
  });
}

Value expect_data(Args& args) {
  Value wanted;
  args.unpack({star::required("data", wanted)});
  return star::NativeFunction::make("expect_data", [wanted, at = args.call_span()](Args& called) {
    Value value;
    called.unpack({star::required("result", value)});
    auto* response = value.as<ResponseValue>();
    if (response == nullptr) fail_expectation("expect_data", at, "a response", value);
    const Value data = response->decoded();
    if (!data.equals(wanted)) fail_expectation("expect_data", at, wanted.repr(), data);
    return Value::none();
  });
}

Value expect_within(Args& args) {
  DurationText within;
  args.unpack({star::required("duration", within)});
  const auto text =
      fmt::format("an answer within {} s", std::chrono::duration<double>(within.value).count());
  return expectation(args, [within = within.value, text](const StepReply& reply) {
    return reply.took <= within ? std::string() : text;
  });
}

/// Of what the scenario returned each function is asked.
Value expect_all(Args& args) {
  unpack_keywords(args, {});
  if (args.size() == 0) args.fail(star::code::kArgument, "no function is given");
  std::vector<Value> functions;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!args[i].is_callable()) {
      args.fail_at(args.span(i), star::code::kArgument,
                   fmt::format("got {}, want a function", args[i].type_name()));
    }
    functions.push_back(args[i]);
  }
  return star::NativeFunction::make("expect_all", [functions](Args& called) {
    Value value;
    called.unpack({star::required("result", value)});
    const Value arguments[] = {value};
    for (const Value& function : functions) {
      called.thread().runtime().call(called.thread(), function, arguments);
    }
    return Value::none();
  });
}

}  // namespace misrule::dsl
