#pragma once

// A RuleSet as the decider wants it: checked, globs compiled, targets as places in the topology.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/delay_shape.h"
#include "base/glob.h"
#include "base/result.h"
#include "interceptor/decide/facts.h"

namespace misrule::model {
class Rule;
class RuleSet;
struct Topology;
}  // namespace misrule::model

namespace misrule::interceptor {

struct Trigger {
  std::uint64_t nth = 0;  ///< 0: any.
  std::uint64_t after = 0;
  std::optional<std::uint64_t> times = {};
  std::optional<double> probability = {};
  std::uint64_t every = 1;
};

struct CompiledRule {
  std::string id = {};
  std::string label = {};
  ServiceId target = {};
  Family family = Family::kConnect;
  std::optional<Glob> path = {};
  std::string to_service = {};  ///< Empty: any destination.
  std::string to_interface = {};
  std::string fd_kind = {};        ///< As written; empty: the default of the service.
  bool sockets_by_default = true;  ///< Without path or fd_kind: TCP sockets too.
  Trigger trigger = {};
  Verdict::Action action = Verdict::Action::kAllow;  ///< kAllow: it records.
  int error = 0;
  DelayShape delay = {};
  std::string decision = {};

  bool records() const { return action == Verdict::Action::kAllow; }
};

/// Makes the literal front of a path glob canonical ("/var/run/x*" may be "/run/x*").
using CanonicalGlob = std::function<std::string(const std::string&)>;

/// Those rules of the set that have a SyscallMatch, in the set's order. kInvalid names the rule.
Result<std::vector<CompiledRule>> compile_rules(const model::RuleSet& rules,
                                                const model::Topology& topology,
                                                const CanonicalGlob& canonical);

/// A service with a database, cache or broker interface: its sockets are met by protocol rules, so
/// read= and write= mean its files.
bool keeps_state(const model::Topology& topology, ServiceId service);

}  // namespace misrule::interceptor
