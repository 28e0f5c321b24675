#include "proxy/admin/live_rules.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/nearest.h"
#include "proxy/net/sniffing.h"

namespace misrule::proxy {

namespace {
constexpr Logger kLog{"proxy/admin"};
}  // namespace

model::Topology LiveRules::topology() const {
  model::Topology topology;
  for (const Listener& listener : listeners_) {
    auto service = std::ranges::find(topology.services, listener.service, &model::Service::name);
    if (service == topology.services.end()) {
      topology.services.push_back({.name = listener.service});
      service = std::prev(topology.services.end());
    }
    service->interfaces.push_back({.name = listener.interface, .protocol = listener.protocol});
    if (listener.sniffs) declare_sniffed(*service, listener.interface);
  }
  return topology;
}

std::string LiveRules::why_not_here(const model::Rule& rule, bool of_whole_spec) const {
  if (rule.has_syscall()) return "it is for system calls, which a proxy does not see";
  const std::string& service = rule.target().service();
  const bool ours = std::ranges::find(listeners_, service, &Listener::service) != listeners_.end();
  if (ours || service.empty() || !of_whole_spec) return {};
  return fmt::format("no proxy here stands before '{}'", service);
}

/// A rule without a target is for the one listener. Who connects is not known here: everybody is
/// meant.
Status LiveRules::fit(model::Rule& rule) const {
  rule.clear_source();
  if (!rule.target().service().empty()) return {};
  if (listeners_.size() > 1) {
    return fail(Code::kInvalid,
                fmt::format("rule '{}' has no target, and there are {} proxies: say which one, "
                            "such as target: {{service: {}}}",
                            rule.id(), listeners_.size(), listeners_.front().service));
  }
  rule.mutable_target()->set_service(listeners_.front().service);
  rule.mutable_target()->set_interface(listeners_.front().interface);
  return {};
}

Status LiveRules::check(const model::Rule& rule) const {
  model::RuleSet alone;
  *alone.add_rules() = rule;
  for (const Listener& listener : listeners_) aim_at_sniffed(listener, alone);
  Status legal = check_rule(topology(), *alone.mutable_rules(0));
  if (legal) return {};
  Error error = std::move(legal).error();
  error.what = fmt::format("rule '{}': {}", rule.id(), error.what);
  std::vector<std::string_view> services;
  services.reserve(listeners_.size());
  for (const Listener& listener : listeners_) services.push_back(listener.service);
  const std::string& wanted = rule.target().service();
  if (std::ranges::find(services, wanted) == services.end()) {
    error.what += did_you_mean(wanted, services);
  }
  return std::unexpected(std::move(error));
}

Result<LiveRules::Prepared> LiveRules::prepare(std::string_view text,
                                               const std::string& name) const {
  MISRULE_TRY(model::ProxyRules read, model::proxy_rules_from_text(text, name));
  Prepared prepared;
  for (const std::string& id : read.templates) {
    prepared.skipped.push_back({id, "it is a template: a test's body makes the rule"});
  }
  std::size_t index = 0;
  for (model::Rule& rule : *read.rules.mutable_rules()) {
    const std::size_t at = index++;
    if (std::string why = why_not_here(rule, read.of_whole_spec); !why.empty()) {
      prepared.skipped.push_back({rule.id(), std::move(why)});
      continue;
    }
    Status good = fit(rule);
    if (good) good = check(rule);
    if (!good) {
      const std::string place = model::place_of_rule(text, name, at, good.error().field);
      return std::unexpected(std::move(good).error().with(place));
    }
    *prepared.rules.add_rules() = std::move(rule);
  }
  return prepared;
}

Result<RulesInForce> LiveRules::replace(std::string_view text, const std::string& name,
                                        std::optional<std::uint64_t> if_version) {
  const std::lock_guard lock(mutex_);
  Result<RulesInForce> taken = take(text, name, if_version);
  model::Event event{.service = "proxy", .type = "lifecycle"};
  if (!taken) {
    last_refusal_ = taken.error().what;
    kLog.error("rules refused, version {} stays: {}", in_force_.version, last_refusal_);
    event.set("action", "rules_refused").set("detail", last_refusal_);
  } else {
    last_refusal_.clear();
    const int count = taken->rules->rules_size();
    kLog.info("{} rules from {} are in force, version {}", count, name, taken->version);
    for (const SkippedRule& one : taken->skipped) kLog.warn("skipped {}: {}", one.rule, one.why);
    event.set("action", "rules_loaded").set("count", std::int64_t{count});
    event.set("skipped", static_cast<std::int64_t>(taken->skipped.size()));
    event.set("version", static_cast<std::int64_t>(taken->version)).set("from", name);
  }
  sink_.emit(std::move(event));
  return taken;
}

Result<RulesInForce> LiveRules::take(std::string_view text, const std::string& name,
                                     std::optional<std::uint64_t> if_version) {
  if (if_version && *if_version != in_force_.version) {
    return fail(Code::kRefused, fmt::format("version {} is in force, not {}: read the rules again",
                                            in_force_.version, *if_version));
  }
  MISRULE_TRY(Prepared prepared, prepare(text, name));
  prepared.rules.set_version(in_force_.version + 1);
  MISRULE_TRY_VOID(proxy_.set_rules(prepared.rules));
  in_force_.version = prepared.rules.version();
  in_force_.rules = std::make_shared<const model::RuleSet>(std::move(prepared.rules));
  in_force_.skipped = std::move(prepared.skipped);
  in_force_.from = name;
  return in_force_;
}

std::string LiveRules::last_refusal() const {
  const std::lock_guard lock(mutex_);
  return last_refusal_;
}

RulesInForce LiveRules::in_force() const {
  const std::lock_guard lock(mutex_);
  return in_force_;
}

}  // namespace misrule::proxy
