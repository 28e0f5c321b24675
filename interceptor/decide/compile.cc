#include "interceptor/decide/compile.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/duration_text.h"
#include "interceptor/decide/errnos.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::interceptor {
namespace {

constexpr std::array<std::string_view, 4> kFdKinds = {"file", "socket", "pipe", "stdio"};
constexpr std::uint64_t kDelayUsMax = 24ULL * 3600 * 1'000'000;

Result<ServiceId> find_target(const model::Topology& topology, const std::string& name) {
  for (std::size_t i = 0; i < topology.services.size(); ++i) {
    if (topology.services[i].name == name) return static_cast<ServiceId>(i);
  }
  return fail(Code::kInvalid, fmt::format("no service is called \"{}\"", name));
}

Status compile_destination(const model::SyscallMatch& match, const model::Topology& topology,
                           CompiledRule& out) {
  if (!match.has_to()) return {};
  if (out.family != Family::kConnect) {
    return fail(Code::kInvalid, fmt::format("to= narrows connect=, not {}=", match.family()));
  }
  const model::Service* service = topology.find_service(match.to().service());
  if (service == nullptr) {
    return fail(Code::kInvalid, fmt::format("to=: no service \"{}\"", match.to().service()));
  }
  if (match.to().has_interface() && service->find_interface(match.to().interface()) == nullptr) {
    return fail(Code::kInvalid, fmt::format("to=: {} has no interface \"{}\"", service->name,
                                            match.to().interface()));
  }
  out.to_service = match.to().service();
  out.to_interface = match.to().interface();
  return {};
}

Status compile_match(const model::SyscallMatch& match, const model::Topology& topology,
                     const CanonicalGlob& canonical, CompiledRule& out) {
  const auto family = family_from_name(match.family());
  if (!family) {
    return fail(Code::kInvalid, fmt::format("no syscall family is called \"{}\"", match.family()));
  }
  out.family = *family;
  if (match.has_path()) out.path.emplace(canonical(match.path()));
  if (match.has_fd_kind()) {
    if (std::ranges::find(kFdKinds, match.fd_kind()) == kFdKinds.end()) {
      return fail(Code::kInvalid, fmt::format("fd_kind=\"{}\" is none of file, socket, pipe, stdio",
                                              match.fd_kind()));
    }
    if (out.family != Family::kRead && out.family != Family::kWrite) {
      return fail(Code::kInvalid, "fd_kind= narrows read= and write= only");
    }
    out.fd_kind = match.fd_kind();
  }
  return compile_destination(match, topology, out);
}

Result<DelayShape> compile_delay(const model::Delay& delay) {
  if (delay.duration_us() == 0 || delay.duration_us() > kDelayUsMax ||
      delay.jitter_us() > kDelayUsMax) {
    return fail(Code::kInvalid, "a delay is longer than nothing and at most a day");
  }
  DelayShape shape{.duration = std::chrono::microseconds(delay.duration_us()),
                   .jitter = std::chrono::microseconds(delay.jitter_us())};
  const auto known = distribution_from_name(delay.distribution());
  if (delay.has_distribution() && !known) {
    return fail(Code::kInvalid,
                fmt::format("distribution=\"{}\" is none of \"uniform\", \"normal\", \"pareto\"",
                            delay.distribution()),
                "distribution");
  }
  shape.distribution = known.value_or(DelayShape::Distribution::kUniform);
  return shape;
}

Status compile_trigger(const model::Trigger& trigger, CompiledRule& out) {
  if (trigger.has_nth() && trigger.nth() == 0) return fail(Code::kInvalid, "nth= counts from 1");
  if (trigger.has_times() && trigger.times() == 0) {
    return fail(Code::kInvalid, "times=0 could never fire");
  }
  const double chance = trigger.probability();
  if (trigger.has_probability() && !(chance > 0.0 && chance <= 1.0)) {
    return fail(Code::kInvalid, fmt::format("probability={} is not in (0, 1]", chance));
  }
  out.trigger.nth = trigger.nth();
  out.trigger.after = trigger.after();
  if (trigger.has_times()) out.trigger.times = trigger.times();
  if (trigger.has_probability()) out.trigger.probability = chance;
  if (trigger.has_every()) out.trigger.every = trigger.every();
  if (out.trigger.every == 0) return fail(Code::kInvalid, "every= counts from 1", "every");
  return {};
}

Status compile_action(const model::Rule& rule, CompiledRule& out) {
  switch (rule.action_case()) {
    case model::Rule::kDeny:
      out.action = Verdict::Action::kDeny;
      out.error = errno_from_name(rule.deny().error());
      out.decision = fmt::format("deny({})", rule.deny().error());
      if (out.error == 0) {
        return fail(Code::kInvalid, fmt::format("no errno is called \"{}\"", rule.deny().error()));
      }
      return {};
    case model::Rule::kDelay: {
      MISRULE_TRY(out.delay, compile_delay(rule.delay()));
      out.action = Verdict::Action::kDelay;
      out.decision = delay_text(out.delay);
      return {};
    }
    case model::Rule::ACTION_NOT_SET:
      out.decision = "allow";
      return {};
    default:
      return fail(Code::kInvalid, "a system call can be denied or delayed, nothing else");
  }
}

Result<CompiledRule> compile_rule(const model::Rule& rule, const model::Topology& topology,
                                  const CanonicalGlob& canonical) {
  CompiledRule out;
  out.id = rule.id();
  out.label = rule.label();
  MISRULE_TRY(out.target, find_target(topology, rule.target().service()));
  if (!rule.target().interface().empty()) {
    return fail(Code::kInvalid, "system calls belong to a service, not to an interface of it");
  }
  if (!rule.source().empty() && rule.source() != rule.target().service()) {
    return fail(Code::kInvalid,
                fmt::format("a syscall rule acts on the calls of its target \"{}\"; source=\"{}\" "
                            "cannot apply (use to= for the destination of a connect)",
                            rule.target().service(), rule.source()));
  }
  out.sockets_by_default = !keeps_state(topology, out.target);
  MISRULE_TRY_VOID(compile_match(rule.syscall(), topology, canonical, out));
  MISRULE_TRY_VOID(compile_trigger(rule.trigger(), out));
  MISRULE_TRY_VOID(compile_action(rule, out));
  return out;
}

}  // namespace

bool keeps_state(const model::Topology& topology, ServiceId service) {
  const auto& interfaces = topology.services[static_cast<std::size_t>(service)].interfaces;
  return std::ranges::any_of(interfaces, [](const model::Interface& interface) {
    return interface.protocol == model::Protocol::kPostgres ||
           interface.protocol == model::Protocol::kRedis ||
           interface.protocol == model::Protocol::kKafka;
  });
}

Result<std::vector<CompiledRule>> compile_rules(const model::RuleSet& rules,
                                                const model::Topology& topology,
                                                const CanonicalGlob& canonical) {
  std::vector<CompiledRule> out;
  for (const model::Rule& rule : rules.rules()) {
    if (rule.match_case() != model::Rule::kSyscall) continue;
    auto compiled = compile_rule(rule, topology, canonical);
    if (!compiled) return std::unexpected(std::move(compiled).error().with("rule " + rule.id()));
    const bool known = std::ranges::any_of(
        out, [&](const CompiledRule& other) { return other.id == compiled->id; });
    if (known) return fail(Code::kInvalid, fmt::format("two rules have the id \"{}\"", rule.id()));
    out.push_back(*std::move(compiled));
  }
  return out;
}

}  // namespace misrule::interceptor
