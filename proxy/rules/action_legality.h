#pragma once

// What each protocol allows an action to say, and what it fills in where the rule is silent.

#include "base/result.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::rules {

Status legalise_action(model::Protocol protocol, model::Rule& rule);

}  // namespace misrule::rules
