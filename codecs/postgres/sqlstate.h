#pragma once

// SQLSTATEs by the name of their condition, or by what a server's message about it says.

#include <optional>
#include <string>
#include <string_view>

namespace misrule::codecs::postgres {

struct SqlCondition {
  std::string_view code = {};  ///< Five of 0-9 and A-Z.
  std::string_view name = {};  ///< "serialization_failure".
};

/// By code or by name, letters' case aside. An error rather than a warning where a name means both.
std::optional<SqlCondition> find_condition(std::string_view code_or_name);

/// " (did you mean serialization_failure?)" for a misspelt name, or nothing.
std::string did_you_mean_condition(std::string_view name);

/// The error that a message is about: the longest of the names ("disk full") and of the server's
/// own phrases ("duplicate key value") that stand in it as whole words.
std::optional<SqlCondition> condition_in_message(std::string_view message);

/// Is it well-formed, be it known or not?
bool is_sqlstate(std::string_view code);
/// Classes 00, 01 and 02 are success, warnings and no data.
bool is_error(std::string_view code);
/// Does the server end the connection with it?
bool ends_connection(std::string_view code);

}  // namespace misrule::codecs::postgres
