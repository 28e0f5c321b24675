#pragma once

// What must hold over all events of a test: monitors, temporal properties, invariants of a file.
//
// A MonitorValue is what a spec hands around (monitors = [...]). Whoever carries it for the running
// test puts it into RunState::monitors; LoadedSpec judges them all when the body has ended.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "spec/dsl/filter.h"
#include "spec/dsl/session.h"
#include "spec/model/verdict.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

enum class MonitorKind : std::uint8_t {
  kCallback,     ///< monitor(fn)
  kDeclarative,  ///< monitor("name", on=, update=, check=)
  kNever,
  kAlways,
  kEventually,
  kLeadsTo,
  kBefore,
  kUntil,
  kAtMost,  ///< Also once_per.
  kCount,
  kOrder,  ///< assert_before: the earliest of each side.
};

/// What a monitor asks for, as it was declared.
struct MonitorPlan {
  MonitorKind kind = MonitorKind::kCallback;
  std::string name = {};  ///< For people: "order_persisted", "never".
  star::Span at = {};
  std::optional<std::string> msg = {};
  std::optional<std::string> service = {};  ///< Of a callback.
  std::vector<EventFilter> filters = {};
  star::Value function = {};  ///< The callback, or what must hold.
  star::Value key = {};       ///< A function of an event, or the name of a field.
  star::Value state_init = {};
  star::Value update = {};
  star::Value check = {};
  std::int64_t least = 0;
  std::optional<std::int64_t> most = {};
  bool every = false;
  std::optional<Duration> within = {};  ///< Liveness: how long it may still come.
  Duration settle = std::chrono::milliseconds(300);
};

class MonitorValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "monitor";
  explicit MonitorValue(MonitorPlan plan) : plan_(std::move(plan)) {}
  const MonitorPlan& plan() const { return plan_; }
  /// Could this event matter to it? Without a call of the spec.
  bool may_concern(const model::Event& event) const;

  std::string_view type_name() const override { return kTypeName; }
  void write_repr(star::Writer& out) const override;
  std::uint64_t hash() const override { return identity_hash(); }
  void visit_children(star::ValueVisitor& visitor) const override;
  void drop_children() override;

 private:
  MonitorPlan plan_;
};

/// The events of one look, shared by all monitors that are asked; what events() reads inside one.
struct MonitorScene {
  const std::vector<EventPtr>& events;
  bool is_closed = false;           ///< What is still to come comes too late.
  std::vector<EventPtr> read = {};  ///< By events() since the monitor was last called.
  bool asked = false;               ///< It called events() since.
};

enum class Standing : std::uint8_t { kHolds, kViolated, kUndecided };

/// What one monitor says once it has seen all that there is.
struct MonitorAnswer {
  Standing standing = Standing::kHolds;
  bool may_change = false;  ///< A later event could make it another.
  std::optional<model::Finding> finding = {};
  bool needs_all = false;  ///< A violation that rests on what was not seen.
};

/// One monitor on its way through the events. May raise what the spec's functions raise.
class MonitorCourse {
 public:
  virtual ~MonitorCourse() = default;
  virtual void see(star::Thread& thread, MonitorScene& scene,
                   const star::Ref<EventValue>& event) = 0;
  virtual MonitorAnswer end(star::Thread& thread, MonitorScene& scene) = 0;
};
std::unique_ptr<MonitorCourse> begin_course(const MonitorPlan& plan);
std::unique_ptr<MonitorCourse> begin_temporal_course(const MonitorPlan& plan);

/// "safety" or "liveness": what may never happen, or what has to. Reports say which it was.
std::string_view kind_text(bool is_liveness);
/// A violation at an event, with its causes and what the monitor read.
model::Finding finding_at(const MonitorPlan& plan, const std::string& what,
                          const model::Event* event, std::span<const EventPtr> read,
                          const std::vector<EventPtr>& all);
/// The answer of plan.key for an event, as a text; empty without a key.
std::string key_of(star::Thread& thread, const MonitorPlan& plan,
                   const star::Ref<EventValue>& event);
/// Calls a function of the spec about events, which must not act on the world.
star::Value call_about_events(star::Thread& thread, const star::Value& function,
                              std::span<const star::Value> arguments);

/// Why what this monitor is about may be missing among the events; nothing if it is not.
std::optional<std::string> gap_for(const MonitorValue& monitor,
                                   const std::vector<EventPtr>& events);
/// What a monitor may see; for everybody else, everything that has happened by now.
std::vector<EventPtr> events_known(const star::Args& args);
/// The assertion can neither hold nor fail.
[[noreturn]] void raise_undecided(const star::Args& args, const std::string& why);

/// monitors = [...]: a list of monitors, as a parameter of a native.
struct MonitorList {
  std::vector<star::Value> items = {};
};
bool convert(const star::Value& value, MonitorList& out);
std::string_view wanted_type(const MonitorList*);

/// Looks at everything that happened, waits where waiting can change an answer, and adds what was
/// found to the result. Of monitors that stand in the list twice one is asked.
void judge_monitors(Session& session, star::Thread& thread,
                    const std::vector<star::Value>& monitors, BodyResult& result);

}  // namespace misrule::dsl
