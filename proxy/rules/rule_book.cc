#include <utility>

#include "proxy/rules/book_pages.h"

namespace misrule::rules {
namespace {

constexpr std::size_t kNearMissesMax = 5;

}  // namespace

const RuleState* RuleBook::Pages::state_for(const RuleState& wanted) {
  const std::scoped_lock lock(mutex_);
  const auto known = states_by_wording_.find(wanted.wording);
  if (known != states_by_wording_.end()) {
    latest_[known->second->counters] = known->second;
    return known->second;
  }
  RuleCounters*& counters = counters_by_id_[wanted.name.id];
  if (counters == nullptr) {
    counters = &counters_.emplace_back();
    counters->id = wanted.name.id;
  }
  RuleState& state = states_.emplace_back(wanted);
  state.counters = counters;
  state.armed = SteadyClock().now();
  state.tag = states_.size();
  states_by_wording_.emplace(state.wording, &state);
  latest_[counters] = &state;
  return &state;
}

void RuleBook::Pages::add_set(std::shared_ptr<const CompiledSet> set) {
  const std::scoped_lock lock(mutex_);
  sets_.push_back(std::move(set));
  if (sets_.size() <= kSetsKept) return;
  add_sightings(*sets_.front(), folded_);
  sets_.pop_front();
}

const RuleName* RuleBook::Pages::find(std::uint64_t tag) const {
  const std::scoped_lock lock(mutex_);
  if (tag == 0 || tag > states_.size()) return nullptr;
  return &states_[static_cast<std::size_t>(tag - 1)].name;
}

std::uint64_t RuleBook::Pages::tag_of(std::string_view id) const {
  const std::scoped_lock lock(mutex_);
  const auto counters = counters_by_id_.find(std::string(id));
  return counters == counters_by_id_.end() ? 0 : latest_.at(counters->second)->tag;
}

void RuleBook::Pages::take_back(const Spent& spent, Actor& actor) {
  const std::scoped_lock lock(mutex_);
  if (spent.tag == 0 || spent.tag > states_.size()) return;
  const RuleState& state = states_[static_cast<std::size_t>(spent.tag - 1)];
  RuleCounters& counters = *state.counters;
  counters.fired.fetch_sub(1, std::memory_order_relaxed);
  counters.skipped.fetch_add(1, std::memory_order_relaxed);
  const Per per = state.trigger.per;
  if (per == Per::kRule) return;
  const std::scoped_lock of_keys(counters.by_key.mutex);
  LocalCounts* const local =
      per == Per::kKey ? counters.by_key.of(spent.key) : &actor.local_[&counters];
  // Another transaction may have begun, and counts anew.
  const bool still_counts =
      local != nullptr && (per != Per::kTransaction || local->transaction == spent.transaction);
  if (still_counts && local->fired > 0) --local->fired;
}

void RuleBook::Pages::add_sightings(const CompiledSet& set, Totals& totals) {
  std::vector<RuleSightings> seen = look_through(set);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    RuleSightings& total = totals[set.rules[i].state->counters];
    total.considered += seen[i].considered;
    total.misses.add_all(seen[i].misses);
  }
}

std::vector<model::RuleTally> RuleBook::Pages::tallies() const {
  const std::scoped_lock lock(mutex_);
  Totals totals = folded_;
  for (const auto& set : sets_) add_sightings(*set, totals);
  std::vector<model::RuleTally> tallies;
  for (const RuleCounters& counters : counters_) {
    model::RuleTally& tally = tallies.emplace_back();
    const RuleSightings& seen = totals[&counters];
    tally.rule = counters.id;
    tally.considered = seen.considered;
    tally.matched = counters.matched.load(std::memory_order_relaxed);
    tally.fired = counters.fired.load(std::memory_order_relaxed);
    if (tally.fired != 0) continue;
    std::string held_back = held_back_by_trigger(*latest_.at(&counters));
    if (!held_back.empty()) tally.near_misses.push_back(std::move(held_back));
    for (std::string& miss : seen.misses.nearest(kNearMissesMax - tally.near_misses.size())) {
      tally.near_misses.push_back(std::move(miss));
    }
  }
  return tallies;
}

RuleBook::RuleBook(std::uint64_t seed, std::optional<TimePoint> start)
    : pages_(std::make_unique<Pages>(seed, start)) {}
RuleBook::~RuleBook() = default;

const RuleName* RuleBook::find(std::uint64_t tag) const { return pages_->find(tag); }
std::uint64_t RuleBook::tag_of(std::string_view id) const { return pages_->tag_of(id); }
void RuleBook::take_back(const Spent& spent, Actor& actor) { pages_->take_back(spent, actor); }
std::vector<model::RuleTally> RuleBook::tallies() const { return pages_->tallies(); }

}  // namespace misrule::rules
