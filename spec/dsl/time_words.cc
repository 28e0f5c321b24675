// sleep(), wait_until(), now() and rand(): time and chance, as a test may use them.

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/random.h"
#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/session.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

/// How long a wait lasts before cancelling is looked at.
constexpr Duration kWaitSlice = std::chrono::milliseconds(100);
constexpr std::size_t kShownBytes = 400;

void pause_until(const Args& args, TestHost& host, TimePoint until) {
  while (host.clock().now() < until) {
    {
      const star::Runtime::Release unlocked(args.thread().runtime());
      host.pause(std::min(until, host.clock().now() + kWaitSlice));
    }
    args.thread().check_cancelled();
  }
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

[[noreturn]] void fail_late(const Args& args, const std::optional<Value>& msg, Duration within,
                            const Value& last) {
  const std::string late = fmt::format("after {} s it is still {}", seconds_of(within),
                                       shortened(last.repr(), kShownBytes));
  star::Complaint complaint{.code = star::code::kFail,
                            .message = fmt::format("wait_until: {}", msg ? msg->text() : late),
                            .at = args.callee_span()};
  if (msg) complaint.labels.push_back({{}, late});
  star::raise(std::move(complaint));
}

/// Each thread of parallel() draws for itself, so that their pace does not matter.
double draw(const Args& args) {
  RunState& run = run_of(args);
  const std::string actor(args.thread().name());
  return decision_chance(
      {.seed = run.host.seed(), .rule = "rand", .actor = actor, .ordinal = run.draws[actor]++});
}

std::size_t draw_below(const Args& args, std::size_t count) {
  const auto index = static_cast<std::size_t>(draw(args) * static_cast<double>(count));
  return std::min(index, count - 1);
}

}  // namespace

Value run_sleep(Args& args) {
  DurationText duration;
  args.unpack({star::required("duration", duration)});
  TestHost& host = run_of(args).host;
  pause_until(args, host, host.clock().now() + duration.value);
  return Value::none();
}

Value wait_until(Args& args) {
  Value function;
  DurationText within{std::chrono::seconds(5)};
  DurationText every{std::chrono::milliseconds(50)};
  std::optional<Value> msg;
  args.unpack({star::required("fn", function), star::optional("within", within),
               star::optional("every", every).by_keyword(),
               star::optional("msg", msg).by_keyword()});
  const star::Function* written = function.as_function();
  if (!function.is_callable() || (written != nullptr && !written->accepts(0))) {
    args.fail(star::code::kArgument,
              fmt::format("got {}, want a function without parameters", function.type_name()));
  }
  if (every.value <= Duration::zero()) args.fail(star::code::kArgument, "every= is zero");
  TestHost& host = run_of(args).host;
  const TimePoint deadline = host.clock().now() + within.value;
  while (true) {
    const bool is_last = host.clock().now() >= deadline;
    const Value last = args.thread().runtime().call(args.thread(), function, {});
    if (last.truth()) return last;
    if (is_last) fail_late(args, msg, within.value, last);
    pause_until(args, host, std::min(deadline, host.clock().now() + every.value));
  }
}

Value read_now(Args& args) {
  args.unpack({});
  const RunState& run = run_of(args);
  const Duration since = run.host.clock().now() - run.began;
  return Value::integer(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

Value draw_random(Args& args) {
  std::optional<Value> from;
  args.unpack({star::optional("from", from)});
  if (!from) return Value::real(draw(args));
  if (const auto below = from->as_int()) {
    constexpr std::int64_t kMost = std::int64_t{1} << 48U;  // A draw is finer than that.
    if (*below < 1 || *below > kMost) args.fail(star::code::kValue, "it draws from 1 to 2**48");
    return Value::integer(
        static_cast<std::int64_t>(draw_below(args, static_cast<std::size_t>(*below))));
  }
  if (from->as_list() == nullptr && from->as_tuple() == nullptr) {
    args.fail(star::code::kArgument,
              fmt::format("got {}, want a number or a list", from->type_name()));
  }
  const auto elements = from->elements();
  if (elements.empty()) args.fail(star::code::kValue, "there is nothing to draw from");
  return elements[draw_below(args, elements.size())];
}

}  // namespace misrule::dsl
