#pragma once

// SQLSTATEs as rules name them.

#include <optional>
#include <string>
#include <string_view>

namespace misrule::rules {

struct SqlState {
  std::string code = {};     ///< Five characters.
  std::string message = {};  ///< What an error of this kind says where the rule is silent.
  bool is_error = true;      ///< Not success (class 00), a warning (01) or no data (02).
  bool is_fatal = false;     ///< The server ends the connection with it.
};

/// By its five characters or its condition's name, letters' case aside.
std::optional<SqlState> find_sqlstate(std::string_view code_or_name);

/// The code whose condition the message names ("disk full" is 53100), else XX000.
std::string sqlstate_for_message(std::string_view message);

}  // namespace misrule::rules
