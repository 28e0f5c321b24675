// The words for temporal properties, and assertions that stand at the top level: invariants of the
// file.

#include <algorithm>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/monitor.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Args;
using star::optional;
using star::required;
using star::Value;

namespace {

/// What the words have in common.
struct Given {
  std::optional<Value> where = {};
  std::optional<std::string> type = {};
  std::optional<Value> service = {};
  std::optional<std::string> name = {};
  std::optional<std::string> msg = {};
  std::optional<DurationText> within = {};
  Value key = {};
};

constexpr Duration kWithin = std::chrono::seconds(5);

MonitorPlan plan_of(const Args& args, MonitorKind kind, const Given& given) {
  if (!given.key.is_none() && !given.key.as_string() && !given.key.is_callable()) {
    args.fail(star::code::kArgument, "key= is a function of an event, or the name of a field");
  }
  return {.kind = kind,
          .name = given.name.value_or(std::string(args.name())),
          .at = args.call_span(),
          .msg = given.msg,
          .key = given.key};
}

Value value_of(MonitorPlan plan) {
  return Value::object(star::make<MonitorValue>(std::move(plan)));
}

void add_filter(const Args& args, const Given& given, MonitorPlan& plan) {
  plan.filters.emplace_back(args, given.where, given.type, given.service);
}

/// Two sides, each a dict or a function; type= and service= are about both.
struct TwoSides {
  Value first = {};
  Value second = {};
};

void add_filters(const Args& args, const TwoSides& sides, const Given& given, MonitorPlan& plan) {
  for (const Value& side : {sides.first, sides.second}) {
    plan.filters.emplace_back(args, side, given.type, given.service);
  }
}

void check_most(const Args& args, std::int64_t count) {
  if (count >= 0) return;
  args.fail(star::code::kValue, fmt::format("{} events: a count is not negative", count));
}

}  // namespace

Value make_never(Args& args) {
  Given given;
  args.unpack({optional("where", given.where), optional("type", given.type).by_keyword(),
               optional("service", given.service), optional("name", given.name),
               optional("msg", given.msg)});
  MonitorPlan plan = plan_of(args, MonitorKind::kNever, given);
  add_filter(args, given, plan);
  return value_of(std::move(plan));
}

Value make_always(Args& args) {
  Given given;
  star::Callable function;
  args.unpack({required("fn", function), optional("on", given.where).by_keyword(),
               optional("type", given.type), optional("service", given.service),
               optional("name", given.name), optional("msg", given.msg)});
  MonitorPlan plan = plan_of(args, MonitorKind::kAlways, given);
  plan.function = function.value;
  add_filter(args, given, plan);
  return value_of(std::move(plan));
}

Value make_eventually(Args& args) {
  Given given;
  args.unpack({optional("where", given.where), optional("type", given.type).by_keyword(),
               optional("service", given.service), optional("within", given.within),
               optional("name", given.name), optional("msg", given.msg)});
  MonitorPlan plan = plan_of(args, MonitorKind::kEventually, given);
  plan.within = given.within ? given.within->value : kWithin;
  add_filter(args, given, plan);
  return value_of(std::move(plan));
}

Value make_leads_to(Args& args) {
  Given given;
  TwoSides sides;
  args.unpack({required("a", sides.first), required("b", sides.second),
               optional("within", given.within).by_keyword(), optional("key", given.key),
               optional("type", given.type), optional("service", given.service),
               optional("name", given.name), optional("msg", given.msg)});
  MonitorPlan plan = plan_of(args, MonitorKind::kLeadsTo, given);
  plan.within = given.within ? given.within->value : kWithin;
  add_filters(args, sides, given, plan);
  return value_of(std::move(plan));
}

Value make_before(Args& args) {
  Given given;
  TwoSides sides;
  args.unpack({required("a", sides.first), required("b", sides.second),
               optional("key", given.key).by_keyword(), optional("type", given.type),
               optional("service", given.service), optional("name", given.name),
               optional("msg", given.msg)});
  MonitorPlan plan = plan_of(args, MonitorKind::kBefore, given);
  add_filters(args, sides, given, plan);
  return value_of(std::move(plan));
}

Value make_until(Args& args) {
  Given given;
  TwoSides sides;
  args.unpack({required("a", sides.first), required("b", sides.second),
               optional("type", given.type).by_keyword(), optional("service", given.service),
               optional("within", given.within), optional("name", given.name),
               optional("msg", given.msg)});
  if (!given.type && !given.service) {
    args.fail(star::code::kArgument,
              "says nothing about which events a= must hold for: type= or service=");
  }
  MonitorPlan plan = plan_of(args, MonitorKind::kUntil, given);
  plan.within = given.within ? given.within->value : kWithin;
  plan.filters.emplace_back(args, sides.first, given.type, given.service);
  plan.filters.emplace_back(args, sides.second, std::nullopt, std::nullopt);
  plan.filters.emplace_back(args, std::nullopt, given.type, given.service);
  return value_of(std::move(plan));
}

Value make_at_most(Args& args) {
  Given given;
  std::int64_t most = 0;
  args.unpack({required("n", most), optional("where", given.where).by_keyword(),
               optional("type", given.type), optional("service", given.service),
               optional("key", given.key), optional("name", given.name),
               optional("msg", given.msg)});
  check_most(args, most);
  MonitorPlan plan = plan_of(args, MonitorKind::kAtMost, given);
  plan.most = most;
  add_filter(args, given, plan);
  return value_of(std::move(plan));
}

Value make_once_per(Args& args) {
  Given given;
  args.unpack({required("key", given.key), optional("where", given.where).by_keyword(),
               optional("type", given.type), optional("service", given.service),
               optional("name", given.name), optional("msg", given.msg)});
  if (given.key.is_none()) args.fail(star::code::kArgument, "missing argument for key");
  MonitorPlan plan = plan_of(args, MonitorKind::kAtMost, given);
  plan.most = 1;
  add_filter(args, given, plan);
  return value_of(std::move(plan));
}

Value make_count(Args& args) {
  Given given;
  std::optional<std::int64_t> exactly;
  std::optional<std::int64_t> least;
  std::optional<std::int64_t> most;
  args.unpack({optional("where", given.where), optional("exactly", exactly).by_keyword(),
               optional("at_least", least), optional("at_most", most), optional("type", given.type),
               optional("service", given.service), optional("name", given.name),
               optional("msg", given.msg)});
  if (exactly.has_value() == (least || most)) {
    args.fail(star::code::kArgument, "wants exactly=, or at_least= and at_most=");
  }
  for (const auto& number : {exactly, least, most}) check_most(args, number.value_or(0));
  MonitorPlan plan = plan_of(args, MonitorKind::kCount, given);
  plan.least = exactly ? *exactly : least.value_or(0);
  plan.most = exactly ? exactly : most;
  add_filter(args, given, plan);
  return value_of(std::move(plan));
}

namespace {

/// At the top level: every test of the file carries it.
Value keep_invariant(const Args& args, MonitorPlan plan) {
  session_of(args).invariants.push_back(value_of(std::move(plan)));
  return Value::none();
}

MonitorPlan order_plan(Args& args) {
  Given given;
  TwoSides sides;
  bool every = false;
  args.unpack({required("first", sides.first), required("then", sides.second),
               optional("every", every).by_keyword(), optional("where", given.where),
               optional("type", given.type), optional("service", given.service),
               optional("msg", given.msg)});
  MonitorPlan plan = plan_of(args, MonitorKind::kOrder, given);
  plan.every = every;
  add_filters(args, sides, given, plan);
  if (given.where) plan.filters.emplace_back(args, given.where, given.type, given.service);
  return plan;
}

}  // namespace

Value declare_never(Args& args) {
  Given given;
  args.unpack({optional("where", given.where), optional("type", given.type).by_keyword(),
               optional("service", given.service), optional("msg", given.msg)});
  MonitorPlan plan = plan_of(args, MonitorKind::kNever, given);
  add_filter(args, given, plan);
  return keep_invariant(args, std::move(plan));
}

Value declare_eventually(Args& args) {
  Given given;
  args.unpack({optional("where", given.where), optional("type", given.type).by_keyword(),
               optional("service", given.service), optional("msg", given.msg),
               optional("within", given.within)});
  MonitorPlan plan = plan_of(args, MonitorKind::kEventually, given);
  plan.within = given.within ? given.within->value : kWithin;
  add_filter(args, given, plan);
  return keep_invariant(args, std::move(plan));
}

Value assert_order(Args& args) {
  MonitorPlan plan = order_plan(args);
  if (session_of(args).run == nullptr) return keep_invariant(args, std::move(plan));
  plan.least = 1;
  const std::vector<EventPtr> events = events_known(args);
  MonitorScene scene{.events = events, .is_closed = true};
  const auto course = begin_course(plan);
  for (const EventPtr& event : events) {
    course->see(args.thread(), scene, star::make<EventValue>(event));
  }
  MonitorAnswer answer = course->end(args.thread(), scene);
  // An earlier one of either side may be missing: both answers rest on all that there was.
  if (const auto why = gap_for(*star::make<MonitorValue>(plan), events)) {
    raise_undecided(args, *why);
  }
  if (!answer.finding) return Value::none();
  star::Complaint complaint{
      .code = star::code::kFail, .message = answer.finding->message, .at = args.callee_span()};
  for (std::string& line : answer.finding->detail) complaint.labels.push_back({{}, line});
  star::raise(std::move(complaint));
}

Value declare_invariant(Args& args) {
  if (args.size() == 0) args.fail(star::code::kArgument, "wants a monitor, or several");
  if (!args.keywords().empty()) args.unpack_positional({});
  Session& session = session_of(args);
  auto& carried = session.run == nullptr ? session.invariants : session.run->monitors;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i].as<MonitorValue>() == nullptr) {
      args.fail_at(args.span(i), star::code::kArgument,
                   fmt::format("got {}, want a monitor", args[i].type_name()));
    }
    carried.push_back(args[i]);
  }
  return Value::none();
}

}  // namespace misrule::dsl
