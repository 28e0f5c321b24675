#pragma once

// What must not be handed on with a run: values that are called a password, a token, a key.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace misrule::controller {

/// "API_TOKEN", "db.password".
bool names_a_secret(std::string_view name);

class SecretMask {
 public:
  /// A value of which every occurrence is a secret; one of fewer than four bytes would mask
  /// everything and is passed over.
  void add(std::string_view value);
  /// Of those pairs whose name says so.
  void add_secrets(const std::vector<std::pair<std::string, std::string>>& named);

  /// The text with "***" for each of them, also as JSON, HTML or a shell spells it.
  std::string masked(std::string text) const;

 private:
  std::vector<std::string> spellings_ = {};  ///< The longest first.
};

/// Of the environment of this process.
std::vector<std::pair<std::string, std::string>> environment_pairs();

}  // namespace misrule::controller
