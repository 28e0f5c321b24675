#pragma once

// As whom services run: never as root when there is somebody else to be.

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/result.h"

namespace misrule::controller {

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name = {};
  std::string home = {};
};

/// By name, or by number ("1000").
Result<Account> find_account(std::string_view name_or_number);

/// The user of services that name none: whoever called sudo, else the owner of the spec file, else
/// root. Without root it is ourselves.
Account default_account(const std::string& spec_file);

}  // namespace misrule::controller
