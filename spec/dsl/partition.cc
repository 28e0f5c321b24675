#include "spec/dsl/partition.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "spec/dsl/arguments.h"
#include "spec/dsl/armed_body.h"
#include "spec/dsl/assumption.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/rules_reader.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

/// As long as a call can be held: a partition ends when its function does.
constexpr auto kHeldMax = std::chrono::hours(24);
constexpr std::array<std::string_view, 3> kModes = {"silence", "reset", "refuse"};

std::string text_of(const model::Target& target) {
  if (!target.has_interface()) return target.service();
  return fmt::format("{}.{}", target.service(), target.interface());
}

/// What `consumer` has open to `server` falls silent.
model::Rule silence(const std::string& consumer, const model::Target& server) {
  model::Rule rule;
  *rule.mutable_target() = server;
  rule.set_source(consumer);
  rule.mutable_link()->set_stall(true);
  return rule;
}

/// What `consumer` opens to `server` from now on.
model::Rule no_connect(const std::string& consumer, const model::Target& server,
                       const std::string& mode) {
  model::Rule rule;
  rule.mutable_target()->set_service(consumer);
  model::SyscallMatch& match = *rule.mutable_syscall();
  match.set_family("connect");
  *match.mutable_to() = server;
  if (mode != "reset") match.set_established("keep");
  if (mode == "silence") {
    const auto held = std::chrono::duration_cast<std::chrono::microseconds>(kHeldMax);
    rule.mutable_delay()->set_duration_us(static_cast<std::uint64_t>(held.count()));
  } else {
    rule.mutable_deny()->set_error("ECONNREFUSED");
  }
  return rule;
}

/// A partition as it is written.
struct PartitionCall {
  Value a = {};
  Value b = {};
  std::optional<Value> run = {};
  std::string mode = "silence";
  std::optional<std::string> name = {};
  std::optional<std::string> label = {};
  std::string description = {};
  bool may_stay_unfired = false;
};

PartitionSides sides_of(const Args& args, const PartitionCall& call) {
  PartitionSides sides = {.mode = call.mode};
  const std::pair<const Value*, model::Target*> ends[] = {{&call.a, &sides.a}, {&call.b, &sides.b}};
  for (const auto& [value, target] : ends) {
    const auto found = target_of(*value);
    if (!found) {
      args.fail(star::code::kArgument,
                fmt::format("it stands between two services or interfaces, not a {}",
                            value->type_name()));
    }
    *target = *found;
  }
  return sides;
}

std::vector<model::Rule> read_rules(const Args& args, const PartitionCall& call,
                                    const PartitionSides& sides) {
  auto rules = partition_rules(session_of(args), sides);
  if (!rules) args.fail(star::code::kValue, rules.error().what);
  for (model::Rule& rule : *rules) {
    set_position(args.call_span(), rule);
    if (call.label) rule.set_label(*call.label);
    if (!call.description.empty()) rule.set_description(call.description);
    rule.set_may_stay_unfired(call.may_stay_unfired);
    rule.set_group(partition_text(sides));
  }
  return *std::move(rules);
}

/// At the top level: what is assumed to go wrong, for fault_scenario() and fault_matrix().
Value assumption_of(const Args& args, const PartitionCall& call, const PartitionSides& sides) {
  if (call.run) {
    args.fail_at(args.call_span(), star::code::kValue, "run= is for tests",
                 "partition(a, b) at the top level is a fault assumption, for faults=");
  }
  AssumptionDeclared declared = {.name = call.name.value_or(fmt::format(
                                     "partition_{}_{}", sides.a.service(), sides.b.service())),
                                 .at = args.call_span(),
                                 .rules = read_rules(args, call, sides)};
  check_name(args, declared.name, args.call_span());
  session_of(args).assumptions.push_back(declared);
  return Value::object(
      star::make<AssumptionValue>(std::move(declared), call.description, std::vector<Value>()));
}

Value run_partition_in_test(const Args& args, const PartitionCall& call,
                            const PartitionSides& sides) {
  RunState& run = run_of(args);
  require_body(args, call.run.value_or(Value::none()));
  if (const auto at = args.find_keyword("run")) static_cast<void>(body_of(args, *at));
  std::vector<model::Rule> rules = read_rules(args, call, sides);
  const unsigned before = run.partitions[partition_text(sides)]++;
  for (model::Rule& rule : rules) {
    rule.set_id(fresh_id(run, rule));
    if (before > 0) rule.set_group(fmt::format("{} #{}", rule.group(), before + 1));
  }
  return run_armed(args, *call.run, std::move(rules));
}

}  // namespace

std::string partition_text(const PartitionSides& sides) {
  const std::string mode =
      sides.mode == "silence" ? std::string() : fmt::format(", mode=\"{}\"", sides.mode);
  return fmt::format("partition({}, {}{})", text_of(sides.a), text_of(sides.b), mode);
}

Result<std::vector<model::Rule>> partition_rules(const Session& session,
                                                 const PartitionSides& sides) {
  if (std::ranges::find(kModes, sides.mode) == kModes.end()) {
    return fail(Code::kInvalid, fmt::format("mode=\"{}\" is none of \"silence\", \"reset\", "
                                            "\"refuse\"",
                                            sides.mode));
  }
  if (sides.a.service() == sides.b.service()) {
    return fail(Code::kInvalid, fmt::format("{} is on both sides: what it sends to itself passes "
                                            "no proxy",
                                            sides.a.service()));
  }
  std::vector<model::Rule> rules;
  const std::pair<const model::Target*, const model::Target*> ways[] = {{&sides.a, &sides.b},
                                                                        {&sides.b, &sides.a}};
  for (const auto& [consumer, server] : ways) {
    const model::Service* from = session.find_service(consumer->service());
    const model::Service* to = session.find_service(server->service());
    if (from == nullptr || to == nullptr || to->interfaces.empty() || !from->remote.empty()) {
      continue;
    }
    if (sides.mode != "reset") rules.push_back(silence(from->name, *server));
    rules.push_back(no_connect(from->name, *server, sides.mode));
  }
  if (rules.empty()) {
    return fail(Code::kInvalid, fmt::format("neither {} nor {} has an interface that the other "
                                            "could reach",
                                            sides.a.service(), sides.b.service()));
  }
  return rules;
}

Value run_partition(Args& args) {
  PartitionCall call;
  args.unpack({star::required("a", call.a), star::required("b", call.b),
               star::optional("run", call.run).by_keyword(),
               star::optional("mode", call.mode).by_keyword(),
               star::optional("name", call.name).by_keyword(),
               star::optional("label", call.label).by_keyword(),
               star::optional("description", call.description).by_keyword(),
               star::optional("optional", call.may_stay_unfired).by_keyword()});
  const PartitionSides sides = sides_of(args, call);
  if (session_of(args).run == nullptr) return assumption_of(args, call, sides);
  return run_partition_in_test(args, call, sides);
}

}  // namespace misrule::dsl
