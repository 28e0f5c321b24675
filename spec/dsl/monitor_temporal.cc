// Temporal properties on their way through the events.

#include <algorithm>
#include <unordered_map>

#include "spec/dsl/arguments.h"
#include "spec/dsl/monitor.h"

namespace misrule::dsl {

using star::Ref;
using star::Value;

namespace {

std::string span_text(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
}

std::string of_key(const std::string& key) { return key.empty() ? "" : " for " + key; }

/// What they have in common: filters with counters of their own, the first violation.
class TemporalCourse : public MonitorCourse {
 public:
  explicit TemporalCourse(const MonitorPlan& plan) : plan_(plan), filters_(plan.filters) {}

 protected:
  const MonitorPlan& plan() const { return plan_; }
  bool matches(star::Thread& thread, std::size_t filter, const Ref<EventValue>& event) {
    return filters_[filter].matches(thread, event);
  }
  std::string looked_at(std::size_t filter) const {
    return fmt::format("{} events were looked at: {}", filters_[filter].shown_count(),
                       filters_[filter].shown());
  }
  std::string nearest(std::size_t filter, const MonitorScene& scene) const {
    return filters_[filter].nearest(scene.events);
  }
  bool is_violated() const { return violated_.has_value(); }
  void violate(const std::string& what, const model::Event* event, std::span<const EventPtr> read,
               const MonitorScene& scene) {
    if (!violated_) violated_ = finding_at(plan_, what, event, read, scene.events);
  }
  MonitorAnswer answer(bool may_change) {
    if (!violated_) return {};
    return {Standing::kViolated, may_change, std::move(violated_), may_change};
  }
  /// Not yet: undecided as long as it may still come, violated then.
  MonitorAnswer pending(const std::string& what, const model::Event* event,
                        const MonitorScene& scene) const {
    model::Finding finding = finding_at(plan_, what, event, {}, scene.events);
    finding.detail.push_back(looked_at(filters_.size() - 1));
    const bool closed = scene.is_closed;
    return {closed ? Standing::kViolated : Standing::kUndecided, !closed, std::move(finding)};
  }

 private:
  const MonitorPlan& plan_;
  std::vector<EventFilter> filters_;
  std::optional<model::Finding> violated_ = {};
};

class NeverCourse final : public TemporalCourse {
 public:
  using TemporalCourse::TemporalCourse;
  void see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) override {
    if (is_violated() || !matches(thread, 0, event)) return;
    violate(fmt::format("event {} matches", event->event().number), &event->event(), {}, scene);
  }
  MonitorAnswer end(star::Thread&, MonitorScene&) override { return answer(false); }
};

class AlwaysCourse final : public TemporalCourse {
 public:
  using TemporalCourse::TemporalCourse;
  void see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) override {
    if (is_violated() || !matches(thread, 0, event)) return;
    const Value argument = Value::object(event);
    if (call_about_events(thread, plan().function, {&argument, 1}).truth()) return;
    violate(fmt::format("it does not hold at event {}", event->event().number), &event->event(), {},
            scene);
  }
  MonitorAnswer end(star::Thread&, MonitorScene&) override { return answer(false); }
};

class EventuallyCourse final : public TemporalCourse {
 public:
  using TemporalCourse::TemporalCourse;
  void see(star::Thread& thread, MonitorScene&, const Ref<EventValue>& event) override {
    found_ = found_ || matches(thread, 0, event);
  }
  MonitorAnswer end(star::Thread&, MonitorScene& scene) override {
    if (found_) return {};
    return pending("no event matched within " + span_text(*plan().within), nullptr, scene);
  }

 private:
  bool found_ = false;
};

class LeadsToCourse final : public TemporalCourse {
 public:
  using TemporalCourse::TemporalCourse;
  void see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) override;
  MonitorAnswer end(star::Thread& thread, MonitorScene& scene) override;

 private:
  void answer_waiting(const std::string& key, const EventPtr& event, MonitorScene& scene);

  std::unordered_map<std::string, std::vector<EventPtr>> waiting_;  ///< By key.
};

void LeadsToCourse::answer_waiting(const std::string& key, const EventPtr& event,
                                   MonitorScene& scene) {
  for (const EventPtr& earlier : waiting_[key]) {
    const Duration took(event->source_time_ns - earlier->source_time_ns);
    if (took <= *plan().within) continue;
    violate(fmt::format("event {} came {} after event {}{}, later than {}", event->number,
                        span_text(took), earlier->number, of_key(key), span_text(*plan().within)),
            event.get(), {&earlier, 1}, scene);
  }
  waiting_[key].clear();
}

void LeadsToCourse::see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) {
  if (is_violated()) return;
  const bool is_effect = matches(thread, 1, event);
  const bool is_cause = matches(thread, 0, event);
  if (!is_effect && !is_cause) return;
  const std::string key = key_of(thread, plan(), event);
  if (is_effect) answer_waiting(key, event->pointer(), scene);
  if (is_cause) waiting_[key].push_back(event->pointer());
}

MonitorAnswer LeadsToCourse::end(star::Thread&, MonitorScene& scene) {
  if (is_violated()) return answer(false);
  EventPtr first;
  std::string of_first;
  for (const auto& [key, events] : waiting_) {
    if (events.empty()) continue;
    const bool earlier = first == nullptr || events.front()->number < first->number;
    if (!earlier) continue;
    first = events.front();
    of_first = of_key(key);
  }
  if (first == nullptr) return {};
  return pending(fmt::format("nothing followed event {}{} within {}", first->number, of_first,
                             span_text(*plan().within)),
                 first.get(), scene);
}

class BeforeCourse final : public TemporalCourse {
 public:
  using TemporalCourse::TemporalCourse;
  void see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) override {
    if (is_violated()) return;
    const bool is_second = matches(thread, 1, event);
    const bool is_first = matches(thread, 0, event);
    if (!is_second && !is_first) return;
    const std::string key = key_of(thread, plan(), event);
    if (is_second && !seen_.contains(key)) {
      violate(fmt::format("nothing that a= means came before event {}{}", event->event().number,
                          of_key(key)),
              &event->event(), {}, scene);
    }
    if (is_first) seen_.emplace(key, event->pointer());
  }
  MonitorAnswer end(star::Thread&, MonitorScene&) override { return answer(true); }

 private:
  std::unordered_map<std::string, EventPtr> seen_;
};

/// Until b comes, every event that type= and service= mean satisfies a; b comes.
class UntilCourse final : public TemporalCourse {
 public:
  using TemporalCourse::TemporalCourse;
  void see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) override {
    if (reached_ || is_violated()) return;
    reached_ = matches(thread, 1, event);
    if (reached_ || !matches(thread, 2, event) || matches(thread, 0, event)) return;
    violate(fmt::format("event {} is neither what a= nor what b= means", event->event().number),
            &event->event(), {}, scene);
  }
  MonitorAnswer end(star::Thread&, MonitorScene& scene) override {
    if (is_violated()) return answer(false);
    if (reached_) return {};
    return pending("no event that b= means came within " + span_text(*plan().within), nullptr,
                   scene);
  }

 private:
  bool reached_ = false;
};

class AtMostCourse final : public TemporalCourse {
 public:
  using TemporalCourse::TemporalCourse;
  void see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) override {
    if (is_violated() || !matches(thread, 0, event)) return;
    const std::string key = key_of(thread, plan(), event);
    std::vector<EventPtr>& earlier = seen_[key];
    if (std::ssize(earlier) >= *plan().most) {
      violate(fmt::format("event {} is number {}{}, at most {} may be", event->event().number,
                          earlier.size() + 1, of_key(key), *plan().most),
              &event->event(), earlier, scene);
    }
    earlier.push_back(event->pointer());
  }
  MonitorAnswer end(star::Thread&, MonitorScene&) override { return answer(false); }

 private:
  std::unordered_map<std::string, std::vector<EventPtr>> seen_;
};

class CountCourse final : public TemporalCourse {
 public:
  using TemporalCourse::TemporalCourse;
  void see(star::Thread& thread, MonitorScene&, const Ref<EventValue>& event) override {
    if (matches(thread, 0, event)) found_.push_back(event->pointer());
  }
  MonitorAnswer end(star::Thread&, MonitorScene& scene) override {
    const auto count = std::ssize(found_);
    const auto& most = plan().most;
    if (count >= plan().least && (!most || count <= *most)) return {};
    const std::string wanted = most && *most == plan().least ? fmt::format("{}", *most)
                               : !most             ? fmt::format("at least {}", plan().least)
                               : plan().least == 0 ? fmt::format("at most {}", *most)
                                                   : fmt::format("{} to {}", plan().least, *most);
    violate(fmt::format("{} events match, {} are wanted", count, wanted), nullptr, found_, scene);
    return answer(count < plan().least);
  }

 private:
  std::vector<EventPtr> found_;
};

/// assert_before: the earliest of each side; with every=True one before each.
class OrderCourse final : public TemporalCourse {
 public:
  using TemporalCourse::TemporalCourse;
  void see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) override;
  MonitorAnswer end(star::Thread& thread, MonitorScene& scene) override;

 private:
  std::vector<EventPtr> firsts_;
  std::vector<EventPtr> thens_;
};

void OrderCourse::see(star::Thread& thread, MonitorScene& scene, const Ref<EventValue>& event) {
  const bool is_meant = plan().filters.size() < 3 || matches(thread, 2, event);
  if (!is_meant) return;
  const bool is_then = matches(thread, 1, event);
  const bool is_first = matches(thread, 0, event);
  const bool decides = plan().every || thens_.empty();
  if (is_then) {
    thens_.push_back(event->pointer());
    if (decides && firsts_.size() < (plan().every ? thens_.size() : 1)) {
      violate(
          fmt::format("event {} has no event that first= means before it", event->event().number),
          &event->event(), firsts_, scene);
    }
  }
  if (is_first) firsts_.push_back(event->pointer());
}

MonitorAnswer OrderCourse::end(star::Thread&, MonitorScene& scene) {
  const bool may_be_empty = plan().least == 0;
  if (thens_.empty() && may_be_empty) return {};
  for (const auto& [events, filter, name] :
       {std::tuple(&firsts_, 0U, "first"), std::tuple(&thens_, 1U, "then")}) {
    if (!events->empty()) continue;
    model::Finding finding =
        finding_at(plan(), fmt::format("no event matches {}=", name), nullptr, {}, scene.events);
    finding.detail.push_back(looked_at(filter));
    const std::string near = nearest(filter, scene);
    if (!near.empty()) finding.detail.push_back("nearest: " + near);
    return {Standing::kViolated, true, std::move(finding), true};
  }
  return answer(true);
}

}  // namespace

std::unique_ptr<MonitorCourse> begin_temporal_course(const MonitorPlan& plan) {
  switch (plan.kind) {
    case MonitorKind::kAlways:
      return std::make_unique<AlwaysCourse>(plan);
    case MonitorKind::kEventually:
      return std::make_unique<EventuallyCourse>(plan);
    case MonitorKind::kLeadsTo:
      return std::make_unique<LeadsToCourse>(plan);
    case MonitorKind::kBefore:
      return std::make_unique<BeforeCourse>(plan);
    case MonitorKind::kUntil:
      return std::make_unique<UntilCourse>(plan);
    case MonitorKind::kAtMost:
      return std::make_unique<AtMostCourse>(plan);
    case MonitorKind::kCount:
      return std::make_unique<CountCourse>(plan);
    case MonitorKind::kOrder:
      return std::make_unique<OrderCourse>(plan);
    case MonitorKind::kNever:
    case MonitorKind::kCallback:
    case MonitorKind::kDeclarative:
      break;
  }
  return std::make_unique<NeverCourse>(plan);
}

}  // namespace misrule::dsl
