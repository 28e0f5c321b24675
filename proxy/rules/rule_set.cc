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
    for (const RuleIndex index : rules) {
      const CompiledRule& rule = set.rules[index];
      target.phases |= 1U << static_cast<unsigned>(rule.phase);
      for (const DetailMatch& match : rule.details)
        target.details |= 1U << static_cast<unsigned>(match.what);
    }
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

// Takes one of the fires that `times` allows, if any is left.
bool take_a_fire(const CompiledRule& rule) {
  std::atomic<std::uint64_t>& fired = rule.state->counters->fired;
  std::uint64_t before = fired.load(std::memory_order_relaxed);
  do {
    const auto& times = rule.state->trigger.times;
    if (times.has_value() && before >= *times) return false;
  } while (!fired.compare_exchange_weak(before, before + 1, std::memory_order_relaxed));
  return true;
}

// Where the nth, after, every and times of one rule are counted, for one unit.
class UnitCounts {
 public:
  UnitCounts(const CompiledRule& rule, const codecs::Facts& facts, LocalCounts* of_connection)
      : rule_(rule), lock_(counters().by_key.mutex, std::defer_lock) {
    const Per per = rule.state->trigger.per;
    if (per == Per::kRule) return;
    local_ = of_connection;
    if (per == Per::kKey) {
      lock_.lock();
      local_ = counters().by_key.of(facts.subject);
      beyond_ = local_ == nullptr;
    } else if (per == Per::kTransaction && facts.transaction != local_->transaction) {
      *local_ = {.transaction = facts.transaction};
    }
  }

  /// Too many keys to count for: the rule leaves the unit alone.
  bool beyond() const { return beyond_; }
  /// The unit is the rule's how-manieth match, from 1.
  std::uint64_t matched() {
    const std::uint64_t match = counters().matched.fetch_add(1, std::memory_order_relaxed) + 1;
    return local_ == nullptr ? match : ++local_->matched;
  }
  bool take_fire() {
    const auto& times = rule_.state->trigger.times;
    if (local_ == nullptr) return take_a_fire(rule_);
    if (times.has_value() && local_->fired >= *times) return false;
    ++local_->fired;
    counters().fired.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

 private:
  RuleCounters& counters() const { return *rule_.state->counters; }

  const CompiledRule& rule_;
  std::unique_lock<std::mutex> lock_;
  LocalCounts* local_ = nullptr;
  bool beyond_ = false;
};

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

// What keeps a rule from a unit whose operation and subject it wants is seen, for near misses.
bool Scope::takes(const CompiledRule& rule, const codecs::Facts& facts) const {
  if (rule.phase != facts.phase) return false;
  const auto refuse = [&](Sightings::Kind kind) {
    sightings_->saw(kind, facts.operation, facts.subject);
    return false;
  };
  if (rule.session && !rule.session->wants(facts)) return refuse(Sightings::Kind::kOtherSession);
  const auto is_wanted = [&](const DetailMatch& match) { return match.wants(facts); };
  if (!std::ranges::all_of(rule.details, is_wanted)) return refuse(Sightings::Kind::kOtherDetail);
  const Untouchable why = untouchable(rule, facts);
  return why == Untouchable::kNo || refuse(sighting_of(why));
}

void Scope::consider(const CompiledRule& rule, const codecs::Facts& facts, Actor& actor,
                     TimePoint now, Decision& decision) const {
  const Trigger& trigger = rule.state->trigger;
  RuleCounters& counters = *rule.state->counters;
  const bool is_local = trigger.per == Per::kConnection || trigger.per == Per::kTransaction;
  UnitCounts counts(rule, facts, is_local ? &actor.local_[&counters] : nullptr);
  if (counts.beyond()) return;
  if (!trigger.is_open(now - set_->start.value_or(rule.state->armed))) {
    sightings_->saw(Sightings::Kind::kOutsideWindow, facts.operation, facts.subject);
    return;
  }
  const std::uint64_t match = counts.matched();
  const bool by_chance = trigger.probability.has_value();
  const bool is_random =
      by_chance || rule.delay.varies() || rule.verb.kind == codecs::Verb::Kind::kCorrupt;
  DecisionKey key;
  if (is_random) key = actor.next_key(*rule.state, set_->seed);
  if (!trigger.lets_through(match, by_chance ? decision_chance(key) : 0.0)) return;
  if (decision.rule != nullptr) {
    counters.outranked.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (!counts.take_fire()) return;
  decision = {.verb = rule.verb,
              .rule = &rule.state->name,
              .ordinal = match,
              .spent = {.tag = rule.state->tag, .transaction = facts.transaction}};
  if (trigger.per == Per::kKey) decision.spent.key = facts.subject;
  key.seed ^= kDelaySalt;
  if (rule.delay.varies()) decision.verb.hold = rule.delay.sample(key);
  if (is_random) decision.verb.seed = decision_hash(key);
}

Decision Scope::decide(const codecs::Facts& facts, Actor& actor, TimePoint now) const {
  if (idle()) return {};
  if (facts.phase != codecs::Phase::kReply)
    sightings_->saw(Sightings::Kind::kUnit, facts.operation, facts.subject);
  std::vector<RuleIndex>& matching = actor.scratch_;
  matching.clear();
  if (unsourced_ != nullptr) unsourced_->append_matching(facts, matching);
  if (sourced_ != nullptr) sourced_->append_matching(facts, matching);
  std::ranges::sort(matching);
  Decision decision;
  for (const RuleIndex index : matching) {
    const CompiledRule& rule = set_->rules[index];
    if (takes(rule, facts)) consider(rule, facts, actor, now, decision);
  }
  return decision;
}

bool Scope::wants(codecs::Detail what) const {
  return target_ != nullptr && (target_->details >> static_cast<unsigned>(what) & 1U) != 0;
}

bool Scope::wants(codecs::Phase phase) const {
  return target_ != nullptr && (target_->phases >> static_cast<unsigned>(phase) & 1U) != 0;
}

bool Scope::takes_link(const CompiledRule& rule, Actor& actor, TimePoint now) const {
  if (!rule.state->trigger.is_open(now - set_->start.value_or(rule.state->armed))) return false;
  RuleCounters& counters = *rule.state->counters;
  const std::uint64_t match = counters.matched.fetch_add(1, std::memory_order_relaxed) + 1;
  const bool by_chance = rule.state->trigger.probability.has_value();
  const double chance = by_chance ? decision_chance(actor.next_key(*rule.state, set_->seed)) : 0.0;
  return rule.state->trigger.lets_through(match, chance) && take_a_fire(rule);
}

LinkDecision Scope::links(Actor& actor, TimePoint now) const {
  LinkDecision decision;
  if (target_ == nullptr) return decision;
  for (const RuleIndex index : target_->rules) {
    const CompiledRule& rule = set_->rules[index];
    if (!rule.link || !in_force(rule.source, consumer_)) continue;
    const auto [known, is_new] = actor.links_.try_emplace(rule.state->tag, false);
    if (is_new) known->second = takes_link(rule, actor, now);
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
  set->start = book.pages_->start();
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
