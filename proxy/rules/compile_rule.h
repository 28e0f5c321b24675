#pragma once

// From a rule of the model to one that can be matched.

#include <string>
#include <vector>

#include "base/result.h"
#include "proxy/rules/legality.h"
#include "proxy/rules/rule_state.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::rules {

/// A rule that check_rule has passed, with the interfaces it is for.
struct LegalRule {
  model::Rule rule = {};
  std::vector<TargetInterface> targets = {};
};

/// Every rule but those on system calls, checked and completed. The first that is wrong fails all,
/// named by its id.
Result<std::vector<LegalRule>> legalise_rules(const model::RuleSet& rules,
                                              const model::Topology& topology);

/// The name, wording and trigger of a legal rule; tag and counters are the book's to give.
RuleState name_rule(const model::Rule& rule);

/// Match and action of a legal rule on an interface of this protocol, without state and tag.
CompiledRule compile_rule(const model::Rule& rule, model::Protocol protocol);

}  // namespace misrule::rules
