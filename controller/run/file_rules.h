#pragma once

// Rules that --rules FILE brings: which are a test's, and can they be armed at all?

#include <string>
#include <vector>

#include "base/result.h"
#include "controller/run/worker.h"
#include "spec/model/rules.pb.h"

namespace misrule::controller {

/// Those that are armed in this test of the spec file `spec`; templates are not. A rule file that
/// names no spec speaks of tests with that name in every one.
std::vector<model::Rule> file_rules_of(const model::RuleFile& file, const std::string& spec,
                                       const std::string& test);

/// kInvalid: rules of a spec or a test that is not among the specs, or a rule that could never
/// fire. Asked before anything starts, because such a rule must not look like a fault that was
/// survived.
Status check_file_rules(const model::RuleFile& file, const std::string& name,
                        const std::vector<LoadedSpec>& specs);

}  // namespace misrule::controller
