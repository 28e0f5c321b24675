#pragma once

// The command line as data: what completions and manual pages are written from.

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace misrule::cli {

struct OptionOutline {
  std::vector<std::string> names = {};  ///< "-v", "--verbose"; of a positional: "FILE".
  std::string description = {};
  std::string value = {};  ///< "FILE", "DIR", "TEXT"; empty: it takes none.
  std::vector<std::string> choices = {};
  std::string preset = {};  ///< The value that it has when it is not given.
  bool positional = false;
  bool required = false;
  bool repeated = false;
};

struct CommandOutline {
  std::string name = {};
  std::string description = {};
  std::string footer = {};
  std::vector<OptionOutline> options = {};
  std::vector<CommandOutline> commands = {};
};

/// Without what `--help` hides.
CommandOutline outline_of(const CLI::App& app);

}  // namespace misrule::cli
