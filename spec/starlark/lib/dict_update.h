#pragma once

// What dict() and dict.update() share.

#include "spec/starlark/args.h"
#include "spec/starlark/containers.h"

namespace misrule::star {

/// From at most one mapping or sequence of pairs, and from keywords. The dict may be changed.
void update_dict(Dict& dict, const Args& args);
void update_from(Dict& dict, const Args& args, const Value& source);

}  // namespace misrule::star
