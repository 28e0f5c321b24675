#pragma once

// A function that runs while rules are armed; they end with it however it ends.

#include <vector>

#include "spec/dsl/session.h"
#include "spec/model/rules.pb.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

/// What run= of that index gives; raises if it is no function.
star::Value body_of(const star::Args& args, std::size_t keyword);
/// Raises unless there is one.
void require_body(const star::Args& args, const star::Value& body);

/// What the function returned. The ids of the rules are theirs already.
star::Value run_armed(const star::Args& args, const star::Value& body,
                      std::vector<model::Rule> rules);

}  // namespace misrule::dsl
