#pragma once

// Running a tool to its end, for its output: initdb, a server's --version.

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace misrule::controller {

struct Command {
  std::vector<std::string> argv = {};  ///< The program first: an absolute path.
  std::vector<std::pair<std::string, std::string>> env = {{"PATH", "/usr/bin:/bin"},
                                                          {"LC_ALL", "C.UTF-8"}};
  std::string cwd = "/";
  std::string user = {};   ///< Empty: ourselves.
  std::string input = {};  ///< Its standard input.
  Duration timeout = std::chrono::seconds(60);
};

/// Standard output and error together. An exit status other than 0 is an error with the last lines
/// of the output; after `timeout` the tool is killed.
Result<std::string> run_command(const Command& command);

/// The last `lines` lines of a text, for messages.
std::string last_lines(const std::string& text, std::size_t lines);

}  // namespace misrule::controller
