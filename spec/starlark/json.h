#pragma once

// JSON text to values and back, for the host; specs have the same as json.encode and json.decode.

#include <string>
#include <string_view>

#include "base/result.h"
#include "spec/starlark/value.h"

namespace misrule::star {

/// Order of keys kept, integers exact, 1.0 a float.
Result<Value> decode_json(std::string_view text);
/// Dict keys sorted; raises on what JSON cannot say.
std::string encode_json(const Value& value);

}  // namespace misrule::star
