#pragma once

// The rules of every test as YAML with source lines, and back. Printed, read and printed again, a
// file is byte-identical.

#include <string>
#include <string_view>

#include "base/result.h"
#include "spec/dsl/spec.h"
#include "spec/model/rules.pb.h"
#include "spec/model/yaml/rule_text.h"

namespace misrule::controller {

/// Declared rules exactly; those that bodies make as templates.
model::RuleFile rules_of(const dsl::Spec& spec);

std::string rules_to_yaml(const model::RuleFile& file);
using model::rules_from_yaml;

/// One rule as a sentence: "INSERT INTO payments* -> 40001 serialization_failure".
std::string describe_rule(const model::Rule& rule);

}  // namespace misrule::controller
