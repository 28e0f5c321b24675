#include "controller/run/armed_rules.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace misrule::controller {
namespace {

// A recording rule does nothing: it explains no exit, holds back no restart, and may stay unfired.
bool is_recording(const model::Rule& rule) {
  return rule.action_case() == model::Rule::ACTION_NOT_SET;
}

bool concerns(const model::Rule& rule, const std::string& service) {
  if (is_recording(rule)) return false;
  return rule.target().service() == service || rule.source() == service;
}

bool is_spent(const model::Rule& rule, const model::RuleTally& tally) {
  if (rule.trigger().has_per()) return false;
  if (rule.trigger().has_nth()) return tally.fired > 0;
  return rule.trigger().has_times() && tally.fired >= rule.trigger().times();
}

bool cuts_connections(const model::Rule& rule) {
  return rule.has_syscall() && rule.syscall().family() == "connect" && rule.has_deny() &&
         rule.syscall().established() != "keep";
}

model::SourcePosition position_of(const model::Rule& rule) {
  return {.file = rule.position().file(),
          .line = rule.position().line(),
          .column = rule.position().column()};
}

std::string connections_text(std::uint64_t count) {
  return fmt::format("{} open connection{}", count, count == 1 ? "" : "s");
}

}  // namespace

std::string ArmedRules::description_of(const model::Rule& rule) const {
  const std::string what = parts_.describe == nullptr ? rule.id() : parts_.describe(rule);
  return rule.has_description() ? fmt::format("{}: {}", rule.description(), what) : what;
}

Status ArmedRules::apply(const std::vector<Batch>& batches) {
  model::RuleSet set;
  for (const Batch& batch : batches) {
    for (const model::Rule& rule : batch.rules) *set.add_rules() = rule;
  }
  MISRULE_TRY_VOID(parts_.proxy.set_rules(set));
  return parts_.supervisor.set_rules(set);
}

void ArmedRules::emit(std::string_view action, const model::Rule& rule, const std::string& detail) {
  model::Event event = {.service = rule.target().service(), .type = "lifecycle"};
  event.set("action", std::string(action)).set("rule", rule.id());
  if (!detail.empty()) event.set("detail", detail);
  parts_.sink.emit(std::move(event));
}

Result<dsl::ArmId> ArmedRules::arm(const std::vector<model::Rule>& rules) {
  const std::scoped_lock lock(mutex_);
  std::vector<Batch> wanted = batches_;
  wanted.insert(wanted.begin(), Batch{.id = next_, .rules = rules});
  if (Status applied = apply(wanted); !applied) {
    // The proxy may have taken what the interceptor refused.
    MISRULE_TRY_VOID(apply(batches_));
    return std::unexpected(std::move(applied).error());
  }
  batches_ = std::move(wanted);
  for (const model::Rule& rule : rules) {
    const auto same = [&rule](const model::Rule& other) { return other.id() == rule.id(); };
    if (std::ranges::none_of(ever_, same)) ever_.push_back(rule);
    emit("rule_armed", rule, parts_.describe == nullptr ? "" : description_of(rule));
  }
  cut_connections(rules);
  tell_stalled(rules);
  return next_++;
}

void ArmedRules::cut_connections(const std::vector<model::Rule>& rules) {
  for (const model::Rule& rule : rules) {
    if (!cuts_connections(rule)) continue;
    const std::size_t count = cut_for(rule);
    cut_[rule.id()] += count;
    emit("cut", rule, connections_text(count) + " cut");
  }
}

void ArmedRules::tell_stalled(const std::vector<model::Rule>& rules) {
  const bool any = std::ranges::any_of(rules, [](const auto& rule) { return rule.link().stall(); });
  if (!any) return;
  const std::map<std::string, model::RuleTally> known = tallies();
  for (const model::Rule& rule : rules) {
    const auto tally = known.find(rule.id());
    if (!rule.link().stall() || tally == known.end()) continue;
    emit("stalled", rule,
         fmt::format("{} {} silent", connections_text(tally->second.fired),
                     tally->second.fired == 1 ? "falls" : "fall"));
  }
}

std::size_t ArmedRules::cut_for(const model::Rule& rule) {
  const std::string& consumer = rule.target().service();
  if (rule.syscall().has_to()) {
    const model::Target& to = rule.syscall().to();
    return parts_.proxy.cut(consumer, to.service(), to.interface()).connections;
  }
  std::size_t count = 0;
  for (const model::Service& service : parts_.topology.services) {
    count += parts_.proxy.cut(consumer, service.name, "").connections;
  }
  return count;
}

Status ArmedRules::end_batches(std::vector<Batch> kept) {
  MISRULE_TRY_VOID(apply(kept));
  std::vector<Batch> before = std::exchange(batches_, std::move(kept));
  for (const Batch& batch : before) {
    const auto same = [&batch](const Batch& other) { return other.id == batch.id; };
    if (std::ranges::any_of(batches_, same)) continue;
    for (const model::Rule& rule : batch.rules) emit("rule_ended", rule, "");
  }
  return {};
}

Status ArmedRules::disarm(dsl::ArmId armed) {
  const std::scoped_lock lock(mutex_);
  std::vector<Batch> kept = batches_;
  std::erase_if(kept, [armed](const Batch& batch) { return batch.id == armed; });
  return end_batches(std::move(kept));
}

Status ArmedRules::disarm_all() {
  const std::scoped_lock lock(mutex_);
  return end_batches({});
}

Result<std::size_t> ArmedRules::release(const std::string& label) {
  const std::scoped_lock lock(mutex_);
  bool known = false;
  std::size_t released = 0;
  for (const Batch& batch : batches_) {
    for (const model::Rule& rule : batch.rules) {
      if (rule.label() != label && rule.id() != label) continue;
      known = true;
      MISRULE_TRY(const std::size_t some, parts_.proxy.release(rule.id()));
      released += some;
    }
  }
  if (!known) return fail(Code::kInvalid, fmt::format("no armed rule has the label \"{}\"", label));
  return released;
}

std::map<std::string, model::RuleTally> ArmedRules::tallies() const {
  std::map<std::string, model::RuleTally> all;
  for (auto& tally : parts_.proxy.tallies()) all.emplace(tally.rule, std::move(tally));
  // A rule is one of the two's; the other has at most an empty tally for it.
  for (auto& tally : parts_.supervisor.tallies()) {
    model::RuleTally& known = all[tally.rule];
    if (tally.considered > 0 || known.rule.empty()) known = std::move(tally);
  }
  for (const auto& [rule, count] : cut_) {
    model::RuleTally& known = all[rule];
    known.rule = rule;
    known.connections_cut = count;
  }
  return all;
}

std::vector<model::RuleReport> ArmedRules::reports() const {
  const std::scoped_lock lock(mutex_);
  const std::map<std::string, model::RuleTally> known = tallies();
  std::vector<model::RuleReport> out;
  for (const model::Rule& rule : ever_) {
    if (is_recording(rule)) continue;
    const auto tally = known.find(rule.id());
    out.push_back(
        {.id = rule.id(),
         .description = description_of(rule),
         .position = position_of(rule),
         .column_end = rule.position().column_end(),
         .tally = tally == known.end() ? model::RuleTally{.rule = rule.id()} : tally->second,
         .may_stay_unfired = rule.may_stay_unfired(),
         .group = rule.group()});
  }
  return out;
}

std::string ArmedRules::explains(const std::string& service) const {
  const std::scoped_lock lock(mutex_);
  const std::map<std::string, model::RuleTally> known = tallies();
  for (const model::Rule& rule : ever_) {
    const auto tally = known.find(rule.id());
    if (concerns(rule, service) && tally != known.end() && tally->second.has_acted()) {
      return rule.id();
    }
  }
  return {};
}

bool ArmedRules::is_under_fault(const std::string& service) const {
  const std::scoped_lock lock(mutex_);
  const std::map<std::string, model::RuleTally> known = tallies();
  for (const Batch& batch : batches_) {
    for (const model::Rule& rule : batch.rules) {
      const auto tally = known.find(rule.id());
      const bool spent = tally != known.end() && is_spent(rule, tally->second);
      if (concerns(rule, service) && !spent) return true;
    }
  }
  return false;
}

}  // namespace misrule::controller
