#pragma once

// The whole command line: words in, exit code out.

namespace misrule::cli {

/// Parses and runs. What is wrong with the words goes to standard error; exit code 2.
int run_command_line(int argc, char** argv);

}  // namespace misrule::cli
