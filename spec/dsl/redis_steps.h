#pragma once

// Steps on a Redis interface: cache.main.set("k", "v"), cache.main.command("XADD", ...).

#include <string>
#include <string_view>
#include <vector>

#include "spec/dsl/host.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

const std::vector<std::string>& redis_step_names();
/// Takes the arguments of one of these steps apart.
StepCall redis_call(const star::Args& args, std::string_view step);

}  // namespace misrule::dsl
