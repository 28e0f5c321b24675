#pragma once

// Would this rule be legal on its target? What it would make a server say must be something that
// the real one could have said; what cannot be is refused here, with a sentence that says why and
// what to write instead.

#include <string>
#include <vector>

#include "base/result.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::rules {

struct TargetInterface {
  std::string service = {};
  std::string interface = {};
  model::Protocol protocol = model::Protocol::kTcp;
};

/// The interfaces that the rule is for, at least one; also fills in what a spec may leave out (an
/// SQLSTATE for its name or message, the default status). Not for rules on system calls.
Result<std::vector<TargetInterface>> legalise(const model::Topology& topology, model::Rule& rule);

/// Is the rule's source a service of the topology, or the test?
Status check_source(const model::Topology& topology, const model::Rule& rule);

}  // namespace misrule::rules
