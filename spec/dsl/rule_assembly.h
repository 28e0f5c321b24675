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
  star::Span source_at = {};
  std::optional<model::Target> to = {};
};

/// The complete rule but for its id. Errors say in words what cannot be and what could, and name
/// the keyword that is to blame, where one is.
Result<model::Rule> assemble_rule(const Session& session, const RuleDraft& draft,
                                  const RuleUse& use);

/// Refuses what no operation could ever match, wherever the rule comes from: relative paths of
/// files, a target as its own source.
Status check_can_match(const model::Rule& rule);

/// Where the rule was written.
void set_position(star::Span at, model::Rule& rule);

/// A rule that cannot be, shown where what is wrong was written: a keyword of the action, source=
/// of the fault, else the whole action. An action that was made elsewhere gets a label at `used`.
star::Complaint rule_complaint(const Error& error, const RuleDraft& draft, const RuleUse& use,
                               star::Span used);

}  // namespace misrule::dsl
