#pragma once

// How does a row of a Postgres result become a JSON object?

#include <string>
#include <string_view>
#include <vector>

namespace misrule::controller {

/// A column's name is unique in its result: a second "n" is called "n_2".
std::vector<std::string> unique_names(const std::vector<std::string>& names);

/// Appends one value in Postgres's text format as JSON: booleans, integers, floats, numeric and
/// JSON by their type OID, everything else (NaN and arrays included) as a string.
void append_value_json(std::string& out, unsigned type_oid, std::string_view text);
void append_json_string(std::string& out, std::string_view text);

}  // namespace misrule::controller
