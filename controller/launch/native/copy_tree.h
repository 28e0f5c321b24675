#pragma once

// Cloning a prepared data folder for one test.

#include <string>

#include "base/result.h"
#include "controller/launch/accounts.h"

namespace misrule::controller::native {

/// Copies a folder of directories and regular files with their modes; the copy belongs to `owner`.
/// `to` must not exist. Where the file system can share blocks, it does.
Status copy_tree(const std::string& from, const std::string& to, const Account& owner);

}  // namespace misrule::controller::native
