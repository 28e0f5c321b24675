#include "controller/compile/rules_file.h"

namespace misrule::controller {

model::RuleFile rules_of(const dsl::Spec& spec) {
  model::RuleFile file;
  file.set_schema("misrule.rules/1");
  file.set_spec(spec.path());
  for (const dsl::Test& test : spec.tests()) {
    model::TestRules& rules = *file.add_tests();
    rules.set_test(test.name);
    for (const model::Rule& rule : test.declared) *rules.add_rules() = rule;
    for (const model::Rule& rule : test.dynamic) *rules.add_dynamic() = rule;
  }
  return file;
}

}  // namespace misrule::controller
