#include "proxy/rules/rule_set.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/random.h"
#include "proxy/rules/book_pages.h"
#include "proxy/rules/compile_rule.h"
#include "proxy/rules/compiled_set.h"
#include "spec/model/rules.pb.h"

namespace misrule::rules {
namespace {

// Adds a compiled rule for each protocol among the rule's targets.
void add_rule(CompiledSet& set, const LegalRule& legal, const RuleState* state) {
  set.tags.insert(state->tag);
  for (const TargetInterface& target : legal.targets) {
    const auto same_protocol = [&](RuleIndex index) {
      return set.rules[index].protocol == target.protocol;
    };
    RuleIndex index = static_cast<RuleIndex>(set.rules.size());
    for (RuleIndex known = index; known > 0 && set.rules[known - 1].state == state; --known) {
      if (same_protocol(known - 1)) index = known - 1;
    }
    if (index == set.rules.size()) {
      set.rules.push_back(compile_rule(legal.rule, target.protocol));
      set.rules.back().state = state;
      set.rules.back().verb.tag = state->tag;
    }
    set.targets[{target.service, target.interface}].rules.push_back(index);
  }
}

std::unique_ptr<ScopeRules> index_of(const CompiledSet& set, const std::vector<RuleIndex>& rules,
                                     const std::function<bool(const CompiledRule&)>& wanted) {
  auto index = std::make_unique<ScopeRules>(set.rules);
  for (const RuleIndex rule : rules) {
    if (!set.rules[rule].link && wanted(set.rules[rule])) index->add(rule);
  }
  index->seal();
  return index;
}

// Only now, because the rules do not move any more.
void build_indexes(CompiledSet& set) {
  for (auto& [key, target] : set.targets) {
    const std::vector<RuleIndex>& rules = target.rules;
    target.of_services =
        index_of(set, rules, [](const CompiledRule& rule) { return rule.source.empty(); });
    for (const RuleIndex index : rules) {
      const std::string& source = set.rules[index].source;
      if (source.empty() || set.rules[index].link) continue;
      target.by_source.try_emplace(source, set.rules).first->second.add(index);
    }
    for (auto& [source, of_source] : target.by_source) of_source.seal();
    if (target.by_source.empty()) continue;
    target.everything = index_of(set, rules, [](const CompiledRule&) { return true; });
  }
}

bool lets_through(const CompiledRule& rule, std::uint64_t match, double chance) {
  const Trigger& trigger = rule.state->trigger;
  if (trigger.nth.has_value() && match != *trigger.nth) return false;
  if (match <= trigger.after || (match - trigger.after) % trigger.every != 0) return false;
  return !trigger.probability.has_value() || chance < *trigger.probability;
}

// Takes one of the fires that `times` allows, if any is left.
bool take_fire(const CompiledRule& rule) {
  std::atomic<std::uint64_t>& fired = rule.state->counters->fired;
  std::uint64_t before = fired.load(std::memory_order_relaxed);
  do {
    const auto& times = rule.state->trigger.times;
    if (times.has_value() && before >= *times) return false;
  } while (!fired.compare_exchange_weak(before, before + 1, std::memory_order_relaxed));
  return true;
}

Sightings::Kind sighting_of(Untouchable why) {
  switch (why) {
    case Untouchable::kFailedTransaction:
      return Sightings::Kind::kFailedTransaction;
    case Untouchable::kRollback:
      return Sightings::Kind::kRollback;
    case Untouchable::kNeverSo:
      return Sightings::Kind::kNeverSo;
    case Untouchable::kInTransaction:
      return Sightings::Kind::kInTransaction;
    case Untouchable::kNo:
      break;
  }
  return Sightings::Kind::kUnit;
}

}  // namespace

bool in_force(std::string_view rule_source, std::string_view consumer) {
  if (consumer.empty()) return true;
  return rule_source.empty() ? consumer != "test" : rule_source == consumer;
}

DecisionKey Actor::next_key(const RuleState& rule, std::uint64_t seed) {
  const std::uint64_t ordinal = ordinals_[rule.counters]++;
  return {.seed = seed, .rule = rule.name.id, .actor = name_, .ordinal = ordinal};
}

Decision Scope::decide(const codecs::Facts& facts, Actor& actor) const {
  if (idle()) return {};
  sightings_->saw(Sightings::Kind::kUnit, facts.operation, facts.subject);
  std::vector<RuleIndex>& matching = actor.scratch_;
  matching.clear();
  if (unsourced_ != nullptr) unsourced_->append_matching(facts, matching);
  if (sourced_ != nullptr) sourced_->append_matching(facts, matching);
  std::ranges::sort(matching);
  Decision decision;
  for (const RuleIndex index : matching) {
    const CompiledRule& rule = set_->rules[index];
    if (rule.session && !rule.session->wants(facts)) {
      sightings_->saw(Sightings::Kind::kOtherSession, facts.operation, facts.subject);
      continue;
    }
    if (const Untouchable why = untouchable(rule, facts); why != Untouchable::kNo) {
      sightings_->saw(sighting_of(why), facts.operation, facts.subject);
      continue;
    }
    RuleCounters& counters = *rule.state->counters;
    const std::uint64_t match = counters.matched.fetch_add(1, std::memory_order_relaxed) + 1;
    const bool by_chance = rule.state->trigger.probability.has_value();
    DecisionKey key;
    if (by_chance || rule.delay.varies()) key = actor.next_key(*rule.state, set_->seed);
    if (!lets_through(rule, match, by_chance ? decision_chance(key) : 0.0)) continue;
    if (decision.rule != nullptr) {
      counters.outranked.fetch_add(1, std::memory_order_relaxed);
    } else if (take_fire(rule)) {
      decision = {.verb = rule.verb, .rule = &rule.state->name, .ordinal = match};
      key.seed ^= kDelaySalt;
      if (rule.delay.varies()) decision.verb.hold = rule.delay.sample(key);
    }
  }
  return decision;
}

bool Scope::takes_link(const CompiledRule& rule, Actor& actor) const {
  RuleCounters& counters = *rule.state->counters;
  const std::uint64_t match = counters.matched.fetch_add(1, std::memory_order_relaxed) + 1;
  const bool by_chance = rule.state->trigger.probability.has_value();
  const double chance = by_chance ? decision_chance(actor.next_key(*rule.state, set_->seed)) : 0.0;
  return lets_through(rule, match, chance) && take_fire(rule);
}

LinkDecision Scope::links(Actor& actor) const {
  LinkDecision decision;
  if (target_ == nullptr) return decision;
  for (const RuleIndex index : target_->rules) {
    const CompiledRule& rule = set_->rules[index];
    if (!rule.link || !in_force(rule.source, consumer_)) continue;
    const auto [known, is_new] = actor.links_.try_emplace(rule.state->tag, false);
    if (is_new) known->second = takes_link(rule, actor);
    if (!known->second) continue;
    decision.shapes.add(*rule.link);
    if (is_new) decision.begun.push_back(&rule.state->name);
  }
  return decision;
}

void Scope::saw_opaque(std::string_view why) const {
  if (!idle()) sightings_->saw(Sightings::Kind::kOpaque, "connection", why);
}

RuleSet::RuleSet(std::shared_ptr<CompiledSet> compiled) : compiled_(std::move(compiled)) {}
RuleSet::~RuleSet() = default;

Result<std::shared_ptr<const RuleSet>> RuleSet::compile(const model::RuleSet& rules,
                                                        const model::Topology& topology,
                                                        RuleBook& book) {
  MISRULE_TRY(const std::vector<LegalRule> legal, legalise_rules(rules, topology));
  auto set = std::make_shared<CompiledSet>();
  set->seed = book.pages_->seed();
  set->version = rules.version();
  for (const LegalRule& rule : legal) {
    add_rule(*set, rule, book.pages_->state_for(name_rule(rule.rule)));
  }
  build_indexes(*set);
  book.pages_->add_set(set);
  return std::shared_ptr<const RuleSet>(new RuleSet(std::move(set)));
}

Scope RuleSet::scope(const ScopeKey& key) const {
  Scope scope;
  const auto found =
      compiled_->targets.find({std::string(key.service), std::string(key.interface)});
  if (found == compiled_->targets.end()) return scope;
  TargetRules& target = found->second;
  const std::string consumer(key.consumer);
  scope.set_ = compiled_.get();
  scope.target_ = &target;
  scope.consumer_ = key.consumer;
  if (consumer.empty()) {
    const bool sourced = target.everything != nullptr;
    scope.unsourced_ = sourced ? target.everything.get() : target.of_services.get();
  } else {
    if (consumer != "test") scope.unsourced_ = target.of_services.get();
    const auto sourced = target.by_source.find(consumer);
    if (sourced != target.by_source.end()) scope.sourced_ = &sourced->second;
  }
  const std::scoped_lock lock(compiled_->mutex);
  std::unique_ptr<Sightings>& sightings = target.sightings[consumer];
  if (sightings == nullptr) sightings = std::make_unique<Sightings>(consumer);
  scope.sightings_ = sightings.get();
  return scope;
}

bool RuleSet::contains(std::uint64_t tag) const { return compiled_->tags.contains(tag); }
std::size_t RuleSet::size() const { return compiled_->tags.size(); }
std::uint64_t RuleSet::version() const { return compiled_->version; }

}  // namespace misrule::rules
