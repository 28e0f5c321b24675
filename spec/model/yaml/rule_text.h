#pragma once

// Rules and proxies as people write them: YAML, or JSON, to the messages of spec/model. A mistake
// is told with file, line and column.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/model/proxies.pb.h"
#include "spec/model/rules.pb.h"

namespace misrule::model {

/// What `misrule compile` prints. Unknown keys are errors with line, column and the nearest name.
Result<RuleFile> rules_from_yaml(std::string_view text, const std::string& name);

/// What a proxy that stands alone takes: the rules of all tests of a rule file, or a plain list
/// (a RuleSet: `rules: [...]`).
struct ProxyRules {
  RuleSet rules = {};
  std::vector<std::string> templates = {};  ///< Ids of rules that only a test's body could make.
  bool of_whole_spec = false;               ///< A rule file: some targets may be elsewhere.
};
Result<ProxyRules> proxy_rules_from_text(std::string_view text, const std::string& name);

/// Where the rule with this index in ProxyRules stands, or, if it has such a key, its `field`:
/// "rules.yaml:12:5". `name` alone where that cannot be told.
std::string place_of_rule(std::string_view text, const std::string& name, std::size_t index,
                          std::string_view field);

Result<ProxyFile> proxies_from_yaml(std::string_view text, const std::string& name);

}  // namespace misrule::model
