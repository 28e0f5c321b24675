#pragma once

// From "deny(...) as write= of a fault on db" to the one rule model.

#include <optional>
#include <string>

#include "base/result.h"
#include "spec/dsl/rule_value.h"

namespace misrule::dsl {

/// Where and as what one action is used.
struct RuleUse {
  model::Target target = {};
  std::string family = {};                 ///< write= and the like; empty: a rule on traffic.
  std::optional<std::string> source = {};  ///< Of the whole fault, unless the action says its own.
  std::optional<model::Target> to = {};
};

/// The complete rule but for its id. Errors say in words what cannot be and what could.
Result<model::Rule> assemble_rule(const Session& session, const RuleDraft& draft,
                                  const RuleUse& use);

}  // namespace misrule::dsl
