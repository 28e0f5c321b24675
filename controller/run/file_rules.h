#pragma once

// Rules that --rules FILE brings: which are a test's, and can they be armed at all?

#include <string>
#include <vector>

#include "base/result.h"
#include "controller/run/worker.h"
#include "spec/model/rules.pb.h"

namespace misrule::controller {

/// Those that are armed in this test; templates are not.
std::vector<model::Rule> file_rules_of(const model::RuleFile& file, const std::string& test);

/// kInvalid: rules of a test that is in none of the specs, or a rule that could never fire. Asked
/// before anything starts, because such a rule must not look like a fault that was survived.
Status check_file_rules(const model::RuleFile& file, const std::string& name,
                        const std::vector<LoadedSpec>& specs);

}  // namespace misrule::controller
