#pragma once

// Where the results of a run lie: .misrule/runs/ID of the current directory.

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace misrule::controller {

inline constexpr std::size_t kRunsKept = 10;

/// "20261121-144801-4711": sorts by time, unique on this machine.
std::string make_run_id();

/// Makes .misrule/runs/ID below `directory`, its .gitignore and the `latest` link, and drops all
/// but the last kRunsKept runs. The folder's absolute path.
Result<std::string> make_run_folder(const std::string& directory, const std::string& id);

/// Gives .misrule below `directory` to that directory's owner: a run under sudo leaves nothing in a
/// project that its owner cannot remove. Does nothing for anybody but root.
void hand_to_owner(const std::string& directory);

/// The run that `latest` points to; empty if there is none.
/// Where misrule was called. kInvalid: that folder has been deleted.
Result<std::string> working_directory();

std::string latest_run_id(const std::string& directory);

/// The folder of one test in a run, made; its name is free of slashes whatever the test is called.
Result<std::string> make_test_folder(const std::string& run_folder, const std::string& spec_file,
                                     const std::string& test);

}  // namespace misrule::controller
