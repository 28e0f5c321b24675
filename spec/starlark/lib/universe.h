#pragma once

// The names that every file has: len, range, json and the rest.

#include <functional>
#include <string>

#include "spec/starlark/value.h"

namespace misrule::star {

using AddName = std::function<void(const std::string& name, Value value)>;

void add_universe(const AddName& add);
// Parts of it.
void add_constructors(const AddName& add);
void add_sequence_functions(const AddName& add);
Value json_namespace();

}  // namespace misrule::star
