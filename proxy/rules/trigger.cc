#include "proxy/rules/trigger.h"

#include "spec/model/rules.pb.h"

namespace misrule::rules {
namespace {

Per per_of(const model::Trigger& trigger) {
  if (trigger.per() == "connection") return Per::kConnection;
  if (trigger.per() == "transaction") return Per::kTransaction;
  return trigger.per() == "key" ? Per::kKey : Per::kRule;
}

}  // namespace

bool Trigger::lets_through(std::uint64_t match, double chance) const {
  if (nth.has_value() && match != *nth) return false;
  if (match <= after || (match - after) % every != 0) return false;
  return !probability.has_value() || chance < *probability;
}

Trigger trigger_of(const model::Trigger& trigger) {
  using std::chrono::microseconds;
  Trigger compiled;
  if (trigger.has_nth()) compiled.nth = trigger.nth();
  if (trigger.has_times()) compiled.times = trigger.times();
  if (trigger.has_probability()) compiled.probability = trigger.probability();
  compiled.after = trigger.after();
  if (trigger.has_every()) compiled.every = trigger.every();
  compiled.per = per_of(trigger);
  if (trigger.has_window_from_us()) compiled.window_from = microseconds(trigger.window_from_us());
  if (trigger.has_window_to_us()) compiled.window_to = microseconds(trigger.window_to_us());
  return compiled;
}

LocalCounts* KeyCounts::of(std::string_view key) {
  const auto known = counts_.find(std::string(key));
  if (known != counts_.end()) return &known->second;
  if (counts_.size() >= kKeysMax) return nullptr;
  return &counts_[std::string(key)];
}

}  // namespace misrule::rules
