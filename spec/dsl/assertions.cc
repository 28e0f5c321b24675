// assert_*, events(): what must stay true.

#include <algorithm>
#include <unordered_set>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/filter.h"
#include "spec/dsl/gaps.h"
#include "spec/dsl/monitor.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

constexpr std::size_t kShownBytes = 400;
constexpr Duration kBarrierAtMost = std::chrono::seconds(10);
/// How long a wait for events lasts before cancelling is looked at.
constexpr Duration kWaitSlice = std::chrono::milliseconds(100);

std::string shown(const Value& value) { return shortened(value.repr(), kShownBytes); }

/// Where the caret goes: under the assertion's name.
star::Span place(const Args& args) { return args.callee_span(); }

std::string source_of(const Args& args, std::size_t index) {
  if (index >= args.size()) return {};
  std::string text(args.source(index));
  return text.find('\n') == std::string::npos ? shortened(std::move(text), 120) : std::string();
}

[[noreturn]] void fail_assertion(const Args& args, std::string message,
                                 std::vector<std::string> detail) {
  star::Complaint complaint{.code = star::code::kFail,
                            .message = fmt::format("{}: {}", args.name(), message),
                            .at = place(args)};
  for (std::string& line : detail) complaint.labels.push_back({{}, std::move(line)});
  star::raise(std::move(complaint));
}

std::string message_or(const std::optional<Value>& msg, std::string otherwise) {
  return msg ? msg->text() : std::move(otherwise);
}

}  // namespace

Value assert_equal(Args& args) {
  Value got;
  Value expected;
  std::optional<Value> msg;
  args.unpack(
      {star::required("a", got), star::required("b", expected), star::optional("msg", msg)});
  if (got.equals(expected)) return Value::none();
  const std::string source = source_of(args, 0);
  std::vector<std::string> detail;
  if (msg && !source.empty()) detail.push_back(fmt::format("{} is {}", source, shown(got)));
  fail_assertion(
      args,
      fmt::format("{}: expected {}, got {}", message_or(msg, source.empty() ? "a" : source),
                  shown(expected), shown(got)),
      std::move(detail));
}

Value assert_truth(Args& args) {
  Value condition;
  std::optional<Value> msg;
  args.unpack({star::required("cond", condition), star::optional("msg", msg)});
  if (condition.truth()) return Value::none();
  const std::string source = source_of(args, 0);
  const std::string fact =
      fmt::format("{} is {}", source.empty() ? "the condition" : source, shown(condition));
  if (!msg) fail_assertion(args, fact, {});
  fail_assertion(args, msg->text(), {fact});
}

namespace {

/// What the assertions on events have in common.
struct EventArguments {
  std::optional<Value> where = {};
  std::optional<std::string> type = {};
  std::optional<Value> service = {};
  std::optional<Value> msg = {};
};

std::vector<EventPtr> events_now(const Args& args, TestHost& host) {
  const star::Runtime::Release unlocked(args.thread().runtime());
  return host.events();
}

/// Could what is missing be what these arguments speak of? A predicate may look at anything.
bool may_mean(const EventArguments& given, const Gap& gap) {
  if (given.type && !is_about(gap, *given.type)) return false;
  if (given.service && service_name_of(*given.service) != gap.service) return false;
  const star::Dict* dict = given.where ? given.where->as_dict() : nullptr;
  if (dict == nullptr) return true;
  std::size_t cursor = 0;
  while (const auto* entry = dict->table().next(cursor)) {
    const auto name = entry->key.as_string();
    const auto wanted = entry->value.as_string();
    if (!name || !wanted) continue;
    const Glob glob(*wanted);
    const auto fits = [&glob, &gap](std::string_view type) {
      return is_about(gap, type) && glob.matches(type);
    };
    if (*name == "type" && !fits(gap.type) && !fits("stderr")) return false;
    if (*name == "service" && !glob.matches(gap.service)) return false;
  }
  return true;
}

/// That nothing (more) was found says nothing where not all is recorded.
void require_all_output(const Args& args, const EventArguments& given,
                        const std::vector<EventPtr>& events) {
  for (const EventPtr& event : events) {
    const auto gap = gap_of(*event);
    if (gap && may_mean(given, *gap)) raise_undecided(args, gap->why);
  }
}

/// Everything that has happened is recorded when this returns.
void pass_barrier(const Args& args, TestHost& host) {
  Status passed = [&] {
    const star::Runtime::Release unlocked(args.thread().runtime());
    return host.barrier(kBarrierAtMost);
  }();
  args.thread().check_cancelled();
  if (passed) return;
  if (passed.error().code != Code::kTimeout) throw InfrastructureFailed(passed.error().what);
  raise_undecided(args, passed.error().what);
}

class Eventually {
 public:
  Eventually(const Args& args, EventFilter filter, Duration within)
      : args_(args),
        run_(run_of(args)),
        host_(run_.host),
        filter_(std::move(filter)),
        within_(within) {}

  std::optional<EventPtr> wait();
  const EventFilter& filter() const { return filter_; }

 private:
  std::optional<EventPtr> look(const std::vector<EventPtr>& events);

  const Args& args_;
  RunState& run_;
  TestHost& host_;
  EventFilter filter_;
  Duration within_;
  std::unordered_set<std::uint64_t> seen_;  ///< Numbers: a late one can stand in the middle.
};

std::optional<EventPtr> Eventually::look(const std::vector<EventPtr>& events) {
  for (const EventPtr& event : events) {
    if (seen_.insert(event->number).second && filter_.matches(args_.thread(), event)) return event;
  }
  return std::nullopt;
}

std::optional<EventPtr> Eventually::wait() {
  const TimePoint deadline = host_.clock().now() + within_;
  for (;;) {
    if (auto found = look(events_now(args_, host_))) return found;
    const TimePoint now = host_.clock().now();
    if (now >= deadline) break;
    {
      const star::Runtime::Release unlocked(args_.thread().runtime());
      host_.wait_for_event(seen_.size(), std::min(deadline, now + kWaitSlice));
    }
    if (args_.thread().is_cancelled()) run_.cut_short = true;
    args_.thread().check_cancelled();
  }
  // What came in time may not be recorded yet.
  pass_barrier(args_, host_);
  return look(events_now(args_, host_));
}

std::string seconds_text(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
}

}  // namespace

Value assert_eventually(Args& args) {
  EventArguments given;
  DurationText within{std::chrono::seconds(5)};
  args.unpack({star::optional("where", given.where),
               star::optional("type", given.type).by_keyword(),
               star::optional("service", given.service), star::optional("msg", given.msg),
               star::optional("within", within)});
  Eventually waiting(args, EventFilter(args, given.where, given.type, given.service), within.value);
  if (const auto found = waiting.wait()) {
    return Value::object(star::make<EventValue>(*found));
  }
  require_all_output(args, given, events_now(args, run_of(args).host));
  const std::string nothing = fmt::format("no event matched within {}", seconds_text(within.value));
  fail_assertion(args, given.msg ? given.msg->text() + ": " + nothing : nothing,
                 {fmt::format("{} events were looked at: {}", waiting.filter().shown_count(),
                              waiting.filter().shown()),
                  std::string(kind_text(true))});
}

Value assert_never(Args& args) {
  EventArguments given;
  args.unpack({star::optional("where", given.where),
               star::optional("type", given.type).by_keyword(),
               star::optional("service", given.service), star::optional("msg", given.msg)});
  EventFilter filter(args, given.where, given.type, given.service);
  TestHost& host = run_of(args).host;
  pass_barrier(args, host);
  const std::vector<EventPtr> events = events_now(args, host);
  for (const EventPtr& event : events) {
    if (!filter.matches(args.thread(), event)) continue;
    const std::string what =
        fmt::format("event {} matches: {}", event->number, describe_event(*event));
    const std::string kind(kind_text(false));
    if (!given.msg) fail_assertion(args, what, {kind});
    fail_assertion(args, given.msg->text(), {what, kind});
  }
  require_all_output(args, given, events);
  const model::SourcePosition at = position_of(args.call_span());
  session_of(args).run_notes.push_back(fmt::format("{}:{}: assert_never looked at {} events: {}",
                                                   at.file, at.line, filter.shown_count(),
                                                   filter.shown()));
  return Value::none();
}

namespace {

std::uint64_t number_of(const EventPtr& event) { return event->number; }

}  // namespace

void raise_undecided(const Args& args, const std::string& why) {
  throw Undecided({.code = std::string(star::code::kFail),
                   .message = fmt::format("{}: undecided: {}", args.name(), why),
                   .at = place(args),
                   .frames = args.thread().frames()});
}

std::vector<EventPtr> events_known(const Args& args) {
  RunState& run = run_of(args);
  if (run.scene != nullptr) return run.scene->events;
  pass_barrier(args, run.host);
  return events_now(args, run.host);
}

Value list_events(Args& args) {
  EventArguments given;
  std::optional<EventValue*> before;
  args.unpack({star::optional("where", given.where),
               star::optional("type", given.type).by_keyword(),
               star::optional("service", given.service), star::optional("before", before)});
  const bool all = !given.where && !given.type && !given.service;
  std::optional<EventFilter> filter;
  if (!all) filter.emplace(args, given.where, given.type, given.service);
  std::vector<EventPtr> events = events_known(args);
  require_all_output(args, given, events);
  if (before) {
    const auto number = (*before)->event().number;
    events.erase(std::ranges::find(events, number, number_of), events.end());
  }
  std::vector<Value> found;
  MonitorScene* scene = run_of(args).scene;
  if (scene != nullptr) scene->asked = true;
  for (const EventPtr& event : events) {
    const bool shown = filter ? filter->matches(args.thread(), event) : !model::is_injected(*event);
    if (!shown) continue;
    if (scene != nullptr) scene->read.push_back(event);
    found.push_back(Value::object(star::make<EventValue>(event)));
  }
  return Value::list(std::move(found));
}

}  // namespace misrule::dsl
