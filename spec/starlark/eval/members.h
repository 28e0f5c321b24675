#pragma once

// The methods of the built-in types, one table each; lib/ has them.

#include "spec/starlark/object.h"

namespace misrule::star {

const MemberTable& string_members();
const MemberTable& bytes_members();
const MemberTable& list_members();
const MemberTable& dict_members();
const MemberTable& set_members();

/// The members of a value's type; null if there are none.
const MemberTable* members_of(const Value& value);
/// Names of all attributes, sorted.
std::vector<Symbol> attribute_names(const Value& value);
/// value.name, or raises.
Value require_attribute(const Value& value, Symbol name);
[[noreturn]] void raise_no_attribute(const Value& value, Symbol name);

}  // namespace misrule::star
