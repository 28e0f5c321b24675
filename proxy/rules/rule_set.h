#pragma once

// Which fault, if any, applies to this unit of traffic?
//
// A RuleSet is compiled once, rejected as a whole if any rule is wrong, and immutable from then on:
// changing the rules means swapping in another RuleSet between two units. What outlives a set (how
// often each rule matched and fired, what came near) is in the RuleBook, by rule id.
//
// Every rule whose match wants a unit counts it; of those whose trigger lets it through, the first
// in rule order acts. So nth=1 and nth=2 of one pattern, in two rules, hit the first and the second
// unit.
//
// Sans-IO: deciding reads no clock and owns no randomness, so a run repeats exactly from its seed
// and the order of each connection's units.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "codecs/facts.h"
#include "proxy/rules/link.h"
#include "proxy/rules/trigger.h"
#include "spec/model/tally.h"
#include "spec/model/topology.h"

namespace misrule::model {
class Rule;
class RuleSet;
}  // namespace misrule::model

namespace misrule::rules {

class Actor;
class ScopeRules;  // The rules of one interface and source, indexed.
class Sightings;   // What passed one listener while rules concerned it.
struct CompiledRule;
struct CompiledSet;
struct RuleCounters;
struct RuleState;  // One rule as some set words it.
struct TargetRules;

/// What events say about a rule that acted.
struct RuleName {
  std::string id = {};
  std::string label = {};
  std::string action = {};    ///< "error", "delay", "drop".
  std::string decision = {};  ///< With its argument: "error(40001)", "delay(250ms)".
  model::SourcePosition position = {};
};

/// What a decision has used up of its rule's counts, to be given back if it comes to nothing.
struct Spent {
  std::uint64_t tag = 0;          ///< The rule; 0: nothing was spent.
  std::uint64_t transaction = 0;  ///< Per::kTransaction: it counts in this one.
  std::string key = {};           ///< Per::kKey: it counts for this one.
};

/// Everything that outlives a rule set. Thread-safe.
class RuleBook {
 public:
  /// Windows count from `start`, or, if that is not given, from when their rule was armed.
  explicit RuleBook(std::uint64_t seed, std::optional<TimePoint> start = {});
  ~RuleBook();
  RuleBook(const RuleBook&) = delete;
  RuleBook& operator=(const RuleBook&) = delete;

  /// The rule that a Verb's tag names; nullptr for 0. It lives as long as the book.
  const RuleName* find(std::uint64_t tag) const;
  /// The latest wording of the rule with this id; 0: there is none.
  std::uint64_t tag_of(std::string_view id) const;
  /// A decision about this actor could not be carried out: its rule has not fired.
  void take_back(const Spent& spent, Actor& actor);
  /// One per rule ever armed, in order of arming. Near misses are worked out here, not while
  /// deciding.
  std::vector<model::RuleTally> tallies() const;

 private:
  friend class RuleSet;
  class Pages;
  std::unique_ptr<Pages> pages_;
};

/// Who decisions are about: one connection. Used by one thread at a time; it may outlive rule sets,
/// not the book.
class Actor {
 public:
  /// `name`: the consumer and its how-manieth connection to the interface, "api#2".
  explicit Actor(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }

 private:
  friend class Scope;
  friend class RuleBook;
  /// What chance decides of this actor's next match of the rule by.
  DecisionKey next_key(const RuleState& rule, std::uint64_t seed);

  std::string name_;
  std::unordered_map<const RuleCounters*, std::uint64_t> ordinals_;  // Of rules with a probability.
  std::unordered_map<std::uint64_t, bool> links_;  // Link rules that were decided, by tag.
  std::unordered_map<const RuleCounters*, LocalCounts> local_;  // Per::kConnection, kTransaction.
  std::vector<std::uint32_t> scratch_;                          // Rules that match one unit.
};

struct Decision {
  codecs::Verb verb = {};          ///< Its tag names the rule in the book; 0 if none acts.
  const RuleName* rule = nullptr;  ///< The same rule; lives as long as the book.
  std::uint64_t ordinal = 0;       ///< It was the rule's how-manieth match, from 1.
  Spent spent = {};
};

/// The link faults that hold for one connection.
struct LinkDecision {
  LinkShapes shapes = {};
  std::vector<const RuleName*> begun = {};  ///< Those that took hold of it just now.
};

/// The rules that concern one listener. A cheap value; valid as long as the RuleSet it is from.
class Scope {
 public:
  Scope() = default;

  /// No rule of the set has this interface as its target: decide() does nothing and need not be
  /// called.
  bool idle() const { return sightings_ == nullptr; }
  /// To be called exactly once per unit and phase, on any thread.
  Decision decide(const codecs::Facts& facts, Actor& actor, TimePoint now = {}) const;
  /// Does any rule want this to be found out, or units of this phase to be decided?
  bool wants(codecs::Detail what) const;
  bool wants(codecs::Phase phase) const;
  /// For a connection that begins, and whenever the rules have changed: each rule decides about a
  /// connection once.
  LinkDecision links(Actor& actor, TimePoint now = {}) const;
  /// A connection of this listener is not decoded any more: rules cannot see it.
  void saw_opaque(std::string_view why) const;

 private:
  friend class RuleSet;
  bool takes(const CompiledRule& rule, const codecs::Facts& facts) const;
  void consider(const CompiledRule& rule, const codecs::Facts& facts, Actor& actor, TimePoint now,
                Decision& decision) const;
  bool takes_link(const CompiledRule& rule, Actor& actor, TimePoint now) const;

  const CompiledSet* set_ = nullptr;
  const TargetRules* target_ = nullptr;
  std::string_view consumer_ = {};         // The listener's own text.
  const ScopeRules* unsourced_ = nullptr;  // Rules without source=, or all if anybody may connect.
  const ScopeRules* sourced_ = nullptr;    // Rules with this consumer as their source=.
  Sightings* sightings_ = nullptr;
};

/// What a listener is, for scoping; the fields of proxy::Listener.
struct ScopeKey {
  std::string_view service = {};
  std::string_view interface = {};
  std::string_view consumer = {};  ///< A service, "test", or empty: everybody is in scope.
};

class RuleSet {
 public:
  /// Rules with a SyscallMatch are passed over. Fails, naming the rule and saying why, if any rule
  /// is not legal on its target (check_rule), or two have one id. `topology` must name every
  /// service with the interfaces that have a listener. The book must outlive the set.
  static Result<std::shared_ptr<const RuleSet>> compile(const model::RuleSet& rules,
                                                        const model::Topology& topology,
                                                        RuleBook& book);
  ~RuleSet();

  /// Never fails: a listener that no rule concerns gets an idle scope.
  Scope scope(const ScopeKey& key) const;
  /// Is the rule of this tag in force? What it holds may go on once it is not.
  bool contains(std::uint64_t tag) const;
  std::size_t size() const;
  std::uint64_t version() const;

 private:
  explicit RuleSet(std::shared_ptr<CompiledSet> compiled);
  std::shared_ptr<CompiledSet> compiled_;
};

}  // namespace misrule::rules
