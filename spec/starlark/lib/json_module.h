#pragma once

// The json module of specs: encode, decode, indent, encode_indent.

#include <string>
#include <string_view>

#include "spec/starlark/args.h"
#include "spec/starlark/value.h"

namespace misrule::star {

/// The namespace `json`.
Value json_module();

Value json_decode(Args& args);
Value json_encode(Args& args);
Value json_indent(Args& args);
Value json_encode_indent(Args& args);

}  // namespace misrule::star
