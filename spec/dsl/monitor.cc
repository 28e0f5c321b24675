// Judging monitors: one pass over the events for all of them, and again for those whose answer may
// still change.

#include "spec/dsl/monitor.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "spec/dsl/arguments.h"
#include "spec/dsl/gaps.h"
#include "spec/dsl/values.h"
#include "spec/model/causality.h"

namespace misrule::dsl {

using star::Value;

namespace {

constexpr Duration kBarrierAtMost = std::chrono::seconds(10);
constexpr Duration kSettleAtMost = std::chrono::seconds(5);
/// How long a wait for events lasts before cancelling is looked at.
constexpr Duration kWaitSlice = std::chrono::milliseconds(100);
constexpr std::size_t kShownEvents = 5;

}  // namespace

void MonitorValue::write_repr(star::Writer& out) const { out.text("<monitor " + plan_.name + ">"); }

bool MonitorValue::may_concern(const model::Event& event) const {
  if (plan_.filters.empty()) {
    return !model::is_injected(event) && (!plan_.service || event.service == *plan_.service);
  }
  return std::ranges::any_of(plan_.filters,
                             [&](const EventFilter& filter) { return filter.may_match(event); });
}

std::optional<std::string> gap_for(const MonitorValue& monitor,
                                   const std::vector<EventPtr>& events) {
  for (const EventPtr& event : events) {
    const auto gap = gap_of(*event);
    if (!gap) continue;
    for (const std::string& type : {gap->type, std::string("stderr")}) {
      const model::Event missing = {.service = gap->service, .type = type};
      if (is_about(*gap, type) && monitor.may_concern(missing)) return gap->why;
    }
  }
  return std::nullopt;
}

void MonitorValue::visit_children(star::ValueVisitor& visitor) const {
  for (const EventFilter& filter : plan_.filters) filter.visit(visitor);
  for (const Value* value :
       {&plan_.function, &plan_.key, &plan_.state_init, &plan_.update, &plan_.check}) {
    visitor.visit(*value);
  }
}

void MonitorValue::drop_children() {
  plan_.filters.clear();
  for (Value* value :
       {&plan_.function, &plan_.key, &plan_.state_init, &plan_.update, &plan_.check}) {
    *value = Value();
  }
}

bool convert(const Value& value, MonitorList& out) {
  if (value.as_list() == nullptr && value.as_tuple() == nullptr) return false;
  out.items = value.elements();
  return std::ranges::all_of(out.items,
                             [](const Value& item) { return item.as<MonitorValue>() != nullptr; });
}

std::string_view wanted_type(const MonitorList*) { return "list of monitors"; }

Value call_about_events(star::Thread& thread, const Value& function,
                        std::span<const Value> arguments) {
  const star::Forbid forbid(thread, star::kBlocking | star::kLoadOnly | star::kTestOnly,
                            "in a monitor's function");
  return thread.runtime().call(thread, function, arguments);
}

std::string key_of(star::Thread& thread, const MonitorPlan& plan,
                   const star::Ref<EventValue>& event) {
  if (plan.key.is_none()) return {};
  if (const auto name = plan.key.as_string()) {
    const auto found = event->find(*name);
    return found ? found->text() : std::string();
  }
  const Value argument = Value::object(event);
  return call_about_events(thread, plan.key, {&argument, 1}).text();
}

namespace {

std::string line_of(const model::Event& event) {
  return fmt::format("event {}: {}", event.number, describe_event(event));
}

void append_events(std::vector<std::string>& lines, std::string_view title,
                   std::span<const EventPtr> events) {
  for (std::size_t i = 0; i < std::min(events.size(), kShownEvents); ++i) {
    lines.push_back(fmt::format("{} {}", title, line_of(*events[i])));
  }
  if (events.size() > kShownEvents) {
    lines.push_back(fmt::format("{} {} more", title, events.size() - kShownEvents));
  }
}

}  // namespace

std::string_view kind_text(bool is_liveness) {
  return is_liveness ? "a liveness property: what has to happen did not, in its time"
                     : "a safety property: what may not happen did";
}

model::Finding finding_at(const MonitorPlan& plan, const std::string& what,
                          const model::Event* event, std::span<const EventPtr> read,
                          const std::vector<EventPtr>& all) {
  const std::string text = plan.msg ? *plan.msg + ": " + what : what;
  model::Finding finding =
      finding_of({.message = fmt::format("{}: {}", plan.name, text), .at = plan.at});
  if (event != nullptr) {
    finding.detail.push_back("at " + line_of(*event));
    for (const model::Event* cause : model::CausalPast(all).causes_of(*event, kShownEvents)) {
      finding.detail.push_back("caused by " + line_of(*cause));
    }
  }
  append_events(finding.detail, "it read", read);
  finding.detail.emplace_back(kind_text(plan.within.has_value()));
  return finding;
}

namespace {

/// A monitor under way in one pass.
struct Running {
  const MonitorValue* monitor = nullptr;
  std::unique_ptr<MonitorCourse> course = {};
  std::size_t shown = 0;  ///< Events that it was asked about.
  std::optional<MonitorAnswer> answer = {};
};

/// One pass of some monitors over all events: who could be concerned by an event is looked up by
/// its type and service.
class Pass {
 public:
  Pass(star::Thread& thread, RunState& run, MonitorScene& scene)
      : thread_(thread), run_(run), scene_(scene) {}

  void add(const MonitorValue& monitor) {
    running_.push_back({.monitor = &monitor, .course = begin_course(monitor.plan())});
  }
  std::vector<Running>& go();

 private:
  const std::vector<std::size_t>& concerned(const model::Event& event);
  void show(Running& running, const star::Ref<EventValue>& event);
  void finish(Running& running);
  template <class Step>
  void guard(Running& running, const model::Event* event, Step step);

  star::Thread& thread_;
  RunState& run_;
  MonitorScene& scene_;
  std::vector<Running> running_;
  std::unordered_map<std::string, std::vector<std::size_t>> concerned_;
  std::string route_;
};

const std::vector<std::size_t>& Pass::concerned(const model::Event& event) {
  const model::Field* callee = event.find("to");
  route_.assign(event.type).append(1, '\0').append(event.service).append(1, '\0');
  if (callee != nullptr) route_ += model::field_text(*callee);
  if (model::is_injected(event)) route_ += '\1';
  const auto [entry, is_new] = concerned_.try_emplace(route_);
  if (!is_new) return entry->second;
  for (std::size_t i = 0; i < running_.size(); ++i) {
    if (running_[i].monitor->may_concern(event)) entry->second.push_back(i);
  }
  return entry->second;
}

/// What the spec's functions raise is the monitor's own failure.
template <class Step>
void Pass::guard(Running& running, const model::Event* event, Step step) {
  try {
    step();
  } catch (const star::EvalError& error) {
    model::Finding finding = finding_of(error.diagnostic());
    finding.message = fmt::format(
        "{}: error in the monitor{}: {}", running.monitor->plan().name,
        event == nullptr ? "" : fmt::format(" at event {}", event->number), finding.message);
    if (event != nullptr) finding.detail.push_back("at " + line_of(*event));
    running.answer = MonitorAnswer{Standing::kViolated, false, std::move(finding)};
  } catch (const Undecided& undecided) {
    running.answer = MonitorAnswer{Standing::kUndecided, false, finding_of(undecided.diagnostic())};
  }
}

void Pass::show(Running& running, const star::Ref<EventValue>& event) {
  ++running.shown;
  guard(running, &event->event(), [&] { running.course->see(thread_, scene_, event); });
}

void Pass::finish(Running& running) {
  if (running.answer) return;
  guard(running, nullptr, [&] { running.answer = running.course->end(thread_, scene_); });
}

std::vector<Running>& Pass::go() {
  run_.scene = &scene_;
  struct Restore {
    RunState& run;
    ~Restore() { run.scene = nullptr; }
  } const restore{run_};
  for (const EventPtr& event : scene_.events) {
    const std::vector<std::size_t>& whom = concerned(*event);
    if (whom.empty()) continue;
    thread_.check_cancelled();
    const auto value = star::make<EventValue>(event);
    for (const std::size_t index : whom) {
      if (!running_[index].answer) show(running_[index], value);
    }
  }
  for (Running& running : running_) finish(running);
  return running_;
}

/// All monitors of a test, until every answer is final.
class Judging {
 public:
  Judging(Session& session, star::Thread& thread, const std::vector<Value>& monitors)
      : session_(session), thread_(thread), run_(*session.run), host_(run_.host) {
    for (const Value& value : monitors) {
      const auto* monitor = value.as<MonitorValue>();
      const bool known = std::ranges::find(cases_, monitor, &Case::monitor) != cases_.end();
      if (monitor != nullptr && !known) cases_.push_back({.monitor = monitor});
    }
  }
  void decide();
  void tell(BodyResult& result);

 private:
  struct Case {
    const MonitorValue* monitor = nullptr;
    MonitorAnswer answer = {};
    std::size_t shown = 0;
    bool is_asked = true;  ///< In the next pass.
  };
  void look(bool is_closed);
  bool waits(const Case& one) const;
  void await_liveness();
  void await_quiet();
  bool wait_for_more(TimePoint deadline);
  void pass_barrier();
  void note_gaps(const std::vector<EventPtr>& events);
  std::optional<std::string> doubt(const Case& one) const;

  Session& session_;
  star::Thread& thread_;
  RunState& run_;
  TestHost& host_;
  std::vector<Case> cases_;
  std::size_t seen_ = 0;
  std::optional<std::string> behind_ = {};  ///< Why what happened is not all known.
  std::vector<EventPtr> gaps_ = {};         ///< Events that say so.
};

void Judging::pass_barrier() {
  const Status passed = [&] {
    const star::Runtime::Release unlocked(thread_.runtime());
    return host_.barrier(kBarrierAtMost);
  }();
  thread_.check_cancelled();
  if (!passed && passed.error().code != Code::kTimeout) {
    throw InfrastructureFailed(passed.error().what);
  }
  behind_ = passed ? std::nullopt : std::optional(passed.error().what);
}

void Judging::note_gaps(const std::vector<EventPtr>& events) {
  gaps_.clear();
  std::ranges::copy_if(events, std::back_inserter(gaps_),
                       [](const EventPtr& event) { return gap_of(*event).has_value(); });
}

/// Why an answer that rests on what was not seen is none.
std::optional<std::string> Judging::doubt(const Case& one) const {
  const bool is_liveness = one.monitor->plan().within.has_value();
  const bool holds = one.answer.standing == Standing::kHolds;
  if (holds == is_liveness && !one.answer.needs_all) return std::nullopt;
  return behind_ ? behind_ : gap_for(*one.monitor, gaps_);
}

void Judging::look(bool is_closed) {
  const std::vector<EventPtr> events = [&] {
    const star::Runtime::Release unlocked(thread_.runtime());
    return host_.events();
  }();
  seen_ = events.size();
  note_gaps(events);
  MonitorScene scene{.events = events, .is_closed = is_closed};
  Pass pass(thread_, run_, scene);
  std::vector<Case*> asked;
  for (Case& one : cases_) {
    if (!one.is_asked) continue;
    pass.add(*one.monitor);
    asked.push_back(&one);
  }
  std::vector<Running>& running = pass.go();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    asked[i]->answer = std::move(*running[i].answer);
    asked[i]->shown = running[i].shown;
  }
}

bool Judging::waits(const Case& one) const {
  return one.monitor->plan().within && one.answer.standing == Standing::kUndecided &&
         one.answer.may_change;
}

/// False at the deadline.
bool Judging::wait_for_more(TimePoint deadline) {
  for (;;) {
    const TimePoint now = host_.clock().now();
    if (now >= deadline) return false;
    const bool more = [&] {
      const star::Runtime::Release unlocked(thread_.runtime());
      return host_.wait_for_event(seen_, std::min(deadline, now + kWaitSlice));
    }();
    if (thread_.is_cancelled()) run_.cut_short = true;
    thread_.check_cancelled();
    if (more) return true;
  }
}

void Judging::await_liveness() {
  const TimePoint start = host_.clock().now();
  for (;;) {
    std::optional<TimePoint> deadline;
    for (Case& one : cases_) {
      one.is_asked = waits(one);
      if (!one.is_asked) continue;
      const TimePoint own = start + *one.monitor->plan().within;
      deadline = deadline ? std::min(*deadline, own) : own;
    }
    if (!deadline) return;
    const bool more = wait_for_more(*deadline);
    if (more) {
      look(false);
      continue;
    }
    const TimePoint now = host_.clock().now();
    for (Case& one : cases_) {
      one.is_asked = one.is_asked && start + *one.monitor->plan().within <= now;
    }
    // What came in time may not be recorded yet.
    pass_barrier();
    look(true);
  }
}

void Judging::await_quiet() {
  Duration quiet = Duration::zero();
  for (Case& one : cases_) {
    one.is_asked = one.answer.may_change && one.answer.standing != Standing::kHolds;
    if (one.is_asked) quiet = std::max(quiet, one.monitor->plan().settle);
  }
  if (std::ranges::none_of(cases_, &Case::is_asked)) return;
  const TimePoint latest = host_.clock().now() + kSettleAtMost;
  for (;;) {
    const TimePoint now = host_.clock().now();
    if (now >= latest || !wait_for_more(std::min(latest, now + quiet))) break;
    const star::Runtime::Release unlocked(thread_.runtime());
    seen_ = host_.events().size();
  }
  pass_barrier();
  look(true);
}

void Judging::decide() {
  pass_barrier();
  look(false);
  await_liveness();
  await_quiet();
}

void Judging::tell(BodyResult& result) {
  for (Case& one : cases_) {
    const MonitorPlan& plan = one.monitor->plan();
    const model::SourcePosition at = position_of(plan.at);
    if (one.shown == 0) {
      session_.run_notes.push_back(fmt::format("{}:{}: {} saw no event of those that it is about",
                                               at.file, at.line, plan.name));
    }
    if (const auto why = doubt(one)) {
      one.answer.standing = Standing::kUndecided;
      one.answer.finding = finding_at(plan, "undecided: " + *why, nullptr, {}, {});
    }
    if (!one.answer.finding) continue;
    auto& told = one.answer.standing == Standing::kUndecided ? result.open : result.violations;
    told.push_back(std::move(*one.answer.finding));
  }
}

}  // namespace

void judge_monitors(Session& session, star::Thread& thread, const std::vector<Value>& monitors,
                    BodyResult& result) {
  if (monitors.empty()) return;
  Judging judging(session, thread, monitors);
  try {
    judging.decide();
  } catch (const star::Cancelled&) {
    result.completed = false;
    result.cancelled = true;
    result.undecided = session.run->cut_short;
    return;
  } catch (const InfrastructureFailed& failed) {
    result.infrastructure = true;
    result.completed = false;
    result.finding = model::Finding{.message = failed.reason()};
    return;
  }
  judging.tell(result);
}

}  // namespace misrule::dsl
