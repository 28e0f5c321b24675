#include "interceptor/decide/decider.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"

namespace misrule::interceptor {
namespace {

// What every program reads to start, and windows into the kernel: a rule that means them says
// path=.
constexpr std::array<std::string_view, 9> kSystemPaths = {
    "/proc/",      "/sys/",       "/dev/",
    "/lib/",       "/lib64/",     "/usr/lib/",
    "/usr/lib64/", "/etc/ld.so.", "/usr/share/locale/"};

// POSIX shared memory is a service's own, although it lives below /dev.
bool is_system_path(std::string_view path) {
  if (path.starts_with("/dev/shm/")) return false;
  return std::ranges::any_of(kSystemPaths,
                             [&](std::string_view prefix) { return path.starts_with(prefix); });
}

bool has_kind(std::string_view wanted, FdKind kind) {
  if (wanted == "file") return kind == FdKind::kFile;
  if (wanted == "socket") return kind == FdKind::kTcp || kind == FdKind::kSocket;
  if (wanted == "pipe") return kind == FdKind::kPipe;
  return kind == FdKind::kStdio;
}

std::string object_text(const CallFacts& call) {
  if (!call.path.empty()) return fmt::format("{} {}", call.syscall, call.path);
  return fmt::format("{} of {}", call.syscall, fd_kind_text(call.kind));
}

std::string why_not_connect(const CompiledRule& rule, const CallFacts& call) {
  if (rule.path) {
    if (!call.path.empty() && rule.path->matches(call.path)) return {};
    return object_text(call);
  }
  if (call.kind != FdKind::kTcp) return object_text(call);
  if (rule.to_service.empty()) return {};
  const bool wanted = rule.to_service == call.to_service &&
                      (rule.to_interface.empty() || rule.to_interface == call.to_interface);
  if (wanted) return {};
  if (call.to_service.empty()) return fmt::format("connect to {}", call.destination);
  return fmt::format("connect to {}.{}", call.to_service, call.to_interface);
}

bool is_wanted_kind(const CompiledRule& rule, const CallFacts& call) {
  if (!rule.fd_kind.empty()) return has_kind(rule.fd_kind, call.kind);
  if (rule.path) return true;
  if (rule.family == Family::kOpen || rule.family == Family::kFsync) return true;
  if (call.kind == FdKind::kTcp) return rule.sockets_by_default;
  return call.kind == FdKind::kFile;
}

}  // namespace

std::string_view fd_kind_text(FdKind kind) {
  switch (kind) {
    case FdKind::kUnknown:
      return "something unknown";
    case FdKind::kFile:
      return "a file";
    case FdKind::kDirectory:
      return "a directory";
    case FdKind::kTcp:
      return "a TCP socket";
    case FdKind::kSocket:
      return "a socket that is not TCP";
    case FdKind::kPipe:
      return "a pipe";
    case FdKind::kStdio:
      return "stdio";
    case FdKind::kOther:
      return "a device";
  }
  return "something unknown";
}

std::string why_not(const CompiledRule& rule, const CallFacts& call) {
  if (rule.family == Family::kConnect) return why_not_connect(rule, call);
  if (call.observer) return fmt::format("{} of an observer's connection", call.syscall);
  if (!is_wanted_kind(rule, call)) return object_text(call);
  if (rule.path) {
    return !call.path.empty() && rule.path->matches(call.path) ? std::string{} : object_text(call);
  }
  return is_system_path(call.path) ? object_text(call) : std::string{};
}

void Decider::replace(std::vector<CompiledRule> rules) {
  armed_.clear();
  by_service_.clear();
  for (CompiledRule& rule : rules) {
    auto& counts = counts_by_rule_[rule.id];
    if (counts == nullptr) {
      counts_.push_back(std::make_unique<Counts>(Counts{.rule = rule.id}));
      counts = counts_.back().get();
    }
    const auto service = static_cast<std::size_t>(rule.target);
    if (by_service_.size() <= service) by_service_.resize(service + 1);
    by_service_[service][static_cast<std::size_t>(rule.family)].push_back(armed_.size());
    armed_.push_back({.rule = std::move(rule), .counts = counts});
  }
}

const std::vector<std::size_t>* Decider::find_rules(ServiceId service, Family family) const {
  const auto index = static_cast<std::size_t>(service);
  if (index >= by_service_.size()) return nullptr;
  return &by_service_[index][static_cast<std::size_t>(family)];
}

// A rule that cannot fire again no longer slows the calls that it looked at.
bool Decider::is_spent(const Armed& armed) {
  const Trigger& trigger = armed.rule.trigger;
  if (armed.rule.records()) return false;
  if (trigger.times && armed.counts->fired >= *trigger.times) return true;
  return trigger.nth > 0 && armed.counts->matched >= trigger.nth;
}

Interest Decider::interest(ServiceId service, Family family) const {
  const auto* rules = find_rules(service, family);
  Interest out;
  if (rules == nullptr) return out;
  for (const std::size_t index : *rules) {
    const Armed& armed = armed_[index];
    if (is_spent(armed)) continue;
    out.any = true;
    out.actor =
        out.actor || armed.rule.trigger.probability.has_value() || armed.rule.delay.varies();
  }
  return out;
}

bool Decider::fires(Armed& armed, const CallFacts& call) {
  const Trigger& trigger = armed.rule.trigger;
  Counts& counts = *armed.counts;
  const std::uint64_t ordinal = counts.matched;  // From 1: this match is counted already.
  if (trigger.nth > 0 && ordinal != trigger.nth) return false;
  if (ordinal <= trigger.after) return false;
  if ((ordinal - trigger.after) % trigger.every != 0) return false;
  if (trigger.times && counts.fired >= *trigger.times) return false;
  if (!trigger.probability) return true;
  const DecisionKey key = {.seed = seed_,
                           .rule = armed.rule.id,
                           .actor = call.actor,
                           .ordinal = counts.rolls[call.actor]++};
  return decision_chance(key) < *trigger.probability;
}

Verdict Decider::decide(const CallFacts& call) {
  Verdict verdict;
  const auto* rules = find_rules(call.service, call.family);
  if (rules == nullptr) return verdict;
  bool decided = false;
  for (const std::size_t index : *rules) {
    Armed& armed = armed_[index];
    if ((decided && !armed.rule.records()) || is_spent(armed)) continue;
    ++armed.counts->considered;
    if (std::string reason = why_not(armed.rule, call); !reason.empty()) {
      armed.counts->near_misses.count(std::move(reason), armed.rule, call);
      continue;
    }
    ++armed.counts->matched;
    const bool fired = fires(armed, call);
    if (fired) ++armed.counts->fired;
    decided = decided || (fired && !armed.rule.records());
    const bool first = !verdict.reported;
    if (!first && !(fired && !armed.rule.records())) continue;
    verdict.reported = true;
    verdict.rule = armed.rule.id;
    verdict.label = armed.rule.label;
    verdict.decision = "allow";
    if (!fired) continue;
    verdict.action = armed.rule.action;
    verdict.error = armed.rule.error;
    verdict.delay = armed.rule.delay.sample({.seed = seed_ ^ kDelaySalt,
                                             .rule = armed.rule.id,
                                             .actor = call.actor,
                                             .ordinal = armed.counts->matched});
    verdict.decision = armed.rule.decision;
  }
  return verdict;
}

bool Decider::is_armed(const std::string& rule) const {
  return std::ranges::any_of(armed_, [&](const Armed& armed) { return armed.rule.id == rule; });
}

std::vector<model::RuleTally> Decider::tallies() const {
  std::vector<model::RuleTally> out;
  out.reserve(counts_.size());
  for (const auto& counts : counts_) {
    out.push_back({.rule = counts->rule,
                   .considered = counts->considered,
                   .matched = counts->matched,
                   .fired = counts->fired,
                   .near_misses = counts->near_misses.nearest()});
  }
  return out;
}

}  // namespace misrule::interceptor
