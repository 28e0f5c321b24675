// monitor(...) in both styles: a function that is called for each event, and a state that events
// change.

#include <array>
#include <unordered_map>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/monitor.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Args;
using star::Ref;
using star::Value;

namespace {

/// monitor(fn): fn may fail(); it is called for the events after a failure, too.
class CallbackCourse final : public MonitorCourse {
 public:
  explicit CallbackCourse(const MonitorPlan& plan) : plan_(plan) {}
  void see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) override;
  MonitorAnswer end(star::Thread& thread, MonitorScene& scene) override;

 private:
  void note(const star::Diagnostic& failure, const MonitorScene& scene, const EventValue& event);

  const MonitorPlan& plan_;
  std::optional<model::Finding> first_ = {};
  std::vector<std::uint64_t> further_ = {};
  bool needs_all_ = true;  ///< Each failure so far came after a look at other events.
};

void CallbackCourse::see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) {
  scene.read.clear();
  scene.asked = false;
  const star::Forbid forbid(thread, star::kTestOnly | star::kLoadOnly, "in a monitor");
  const Value argument = Value::object(event);
  try {
    thread.runtime().call(thread, plan_.function, {&argument, 1});
  } catch (const star::EvalError& error) {
    if (error.diagnostic().code != star::code::kFail) throw;
    note(error.diagnostic(), scene, *event);
  }
}

void CallbackCourse::note(const star::Diagnostic& failure, const MonitorScene& scene,
                          const EventValue& event) {
  needs_all_ = needs_all_ && scene.asked;
  if (first_) {
    further_.push_back(event.event().number);
    return;
  }
  constexpr std::string_view kFailed = "fail: ";
  model::Finding said = finding_of(failure);
  if (said.message.starts_with(kFailed)) said.message.erase(0, kFailed.size());
  first_ = finding_at(plan_, said.message, &event.event(), scene.read, scene.events);
  first_->position = said.position;
  first_->column_end = said.column_end;
  first_->source_line = said.source_line;
  first_->detail.insert(first_->detail.begin(), said.detail.begin(), said.detail.end());
}

MonitorAnswer CallbackCourse::end(star::Thread& /*thread*/, MonitorScene& /*scene*/) {
  if (!first_) return {};
  if (!further_.empty()) {
    first_->detail.push_back(fmt::format("and at {} more events, the first of them {}",
                                         further_.size(), further_.front()));
  }
  return {Standing::kViolated, true, std::move(first_), needs_all_};
}

/// monitor("name", on=, key=, state_init=, update=, check=).
class DeclarativeCourse final : public MonitorCourse {
 public:
  explicit DeclarativeCourse(const MonitorPlan& plan) : plan_(plan), on_(plan.filters.front()) {}
  void see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) override;
  MonitorAnswer end(star::Thread& thread, MonitorScene& scene) override;

 private:
  struct State {
    Value value = {};
    bool is_open = false;  ///< The last answer was None.
    std::vector<EventPtr> read = {};
  };
  const MonitorPlan& plan_;
  EventFilter on_;
  std::unordered_map<std::string, State> states_;
  std::vector<std::string> keys_;  ///< In the order in which they came.
  std::optional<model::Finding> violated_ = {};
};

std::string of_key(const std::string& key) { return key.empty() ? "" : " for " + key; }

void DeclarativeCourse::see(star::Thread& thread, MonitorScene& scene,
                            const Ref<EventValue>& event) {
  if (violated_ || !on_.matches(thread, event)) return;
  const std::string key = key_of(thread, plan_, event);
  const auto [entry, is_new] = states_.try_emplace(key, State{.value = plan_.state_init});
  if (is_new) keys_.push_back(key);
  State& state = entry->second;
  const Value shown = Value::object(event);
  if (!plan_.update.is_none()) {
    const std::array<Value, 2> arguments = {state.value, shown};
    state.value = call_about_events(thread, plan_.update, arguments);
  }
  const std::array<Value, 2> arguments = {state.value, shown};
  const Value answer = call_about_events(thread, plan_.check, arguments);
  state.is_open = answer.is_none();
  if (!state.is_open && !answer.truth()) {
    const std::string what = fmt::format("check= is False{}; the state is {}", of_key(key),
                                         shortened(state.value.repr(), 200));
    violated_ = finding_at(plan_, what, &event->event(), state.read, scene.events);
  }
  state.read.push_back(event->pointer());
}

MonitorAnswer DeclarativeCourse::end(star::Thread& /*thread*/, MonitorScene& scene) {
  if (violated_) return {Standing::kViolated, false, std::move(violated_)};
  for (const std::string& key : keys_) {
    const State& state = states_.at(key);
    if (!state.is_open) continue;
    const std::string what =
        fmt::format("undecided{}: the last answer of check= was None; the state is {}", of_key(key),
                    shortened(state.value.repr(), 200));
    return {Standing::kUndecided, true,
            finding_at(plan_, what, state.read.back().get(), state.read, scene.events)};
  }
  return {};
}

/// A function of that many arguments, as far as that can be told.
void check_function(const Args& args, const Value& value, std::string_view name,
                    std::size_t parameters) {
  if (value.is_none()) return;
  const star::Function* function = value.as_function();
  if (value.is_callable() && (function == nullptr || function->accepts(parameters))) return;
  args.fail(star::code::kArgument,
            fmt::format("{}= is a function of {}", name,
                        parameters == 1 ? "an event" : "the state and an event"));
}

struct MonitorArguments {
  Value first = {};
  std::optional<Value> service = {};
  std::optional<Value> on = {};
  DurationText settle{std::chrono::milliseconds(300)};
  Value check = {};
};

void take_callback(const Args& args, const MonitorArguments& given, MonitorPlan& plan) {
  const star::Function* function = given.first.as_function();
  if (function != nullptr && !function->accepts(1)) {
    args.fail_at(args.call_span(), star::code::kArgument,
                 "monitor: the function takes one argument, the event");
  }
  const bool declarative = given.on || !given.check.is_none() || !plan.update.is_none() ||
                           !plan.key.is_none() || !plan.state_init.is_none();
  if (declarative) {
    args.fail(star::code::kArgument,
              "on=, key=, state_init=, update= and check= belong to monitor(\"name\", ...)");
  }
  plan.kind = MonitorKind::kCallback;
  plan.name = function == nullptr ? "monitor" : std::string(function->name());
  plan.function = given.first;
  if (!given.service) return;
  plan.service = service_name_of(*given.service);
  if (!plan.service) args.fail(star::code::kArgument, "service= is a service or its name");
  const auto wrong = why_impossible(session_of(args), {.service = plan.service});
  if (wrong) args.fail_at(args.call_span(), star::code::kValue, wrong->what, wrong->help);
}

void take_declarative(const Args& args, const MonitorArguments& given, MonitorPlan& plan) {
  plan.kind = MonitorKind::kDeclarative;
  plan.name = std::string(*given.first.as_string());
  plan.check = given.check;
  if (plan.check.is_none()) args.fail(star::code::kArgument, "missing argument for check");
  if (!given.on && !given.service) args.fail(star::code::kArgument, "missing argument for on");
  check_function(args, plan.check, "check", 2);
  check_function(args, plan.update, "update", 2);
  if (!plan.key.as_string()) check_function(args, plan.key, "key", 1);
  plan.filters.emplace_back(args, given.on, std::nullopt, given.service);
}

}  // namespace

std::unique_ptr<MonitorCourse> begin_course(const MonitorPlan& plan) {
  if (plan.kind == MonitorKind::kCallback) return std::make_unique<CallbackCourse>(plan);
  if (plan.kind == MonitorKind::kDeclarative) return std::make_unique<DeclarativeCourse>(plan);
  return begin_temporal_course(plan);
}

Value declare_monitor(Args& args) {
  MonitorArguments given;
  MonitorPlan plan{.at = args.call_span()};
  args.unpack(
      {star::required("fn", given.first), star::optional("service", given.service).by_keyword(),
       star::optional("on", given.on).by_keyword(), star::optional("key", plan.key).by_keyword(),
       star::optional("state_init", plan.state_init).by_keyword(),
       star::optional("update", plan.update).by_keyword(),
       star::optional("check", given.check).by_keyword(),
       star::optional("settle", given.settle).by_keyword()});
  plan.settle = given.settle.value;
  if (given.first.as_string())
    take_declarative(args, given, plan);
  else if (given.first.is_callable())
    take_callback(args, given, plan);
  else
    args.fail(star::code::kArgument, "the first argument is a function of an event, or a name");
  return Value::object(star::make<MonitorValue>(std::move(plan)));
}

}  // namespace misrule::dsl
