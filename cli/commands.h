#pragma once

// The subcommands: each adds its options to the command line and, when it was chosen, an action.

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace misrule::cli {

/// What was chosen. The action runs after parsing, and gives the exit code.
struct Choice {
  std::string program = "misrule";      ///< As the user typed it.
  std::vector<std::string> words = {};  ///< What follows it.
  std::function<int()> action = {};
  /// What follows RUN in `enter RUN [COMMAND...]`: never read as options of ours.
  std::vector<std::string> foreign_words = {};
};

inline constexpr int kPassed = 0;
inline constexpr int kWrongUse = 2;
inline constexpr int kInfrastructure = 3;

void add_init(CLI::App& app, Choice& choice);
void add_test(CLI::App& app, Choice& choice);
void add_check(CLI::App& app, Choice& choice);
void add_compile(CLI::App& app, Choice& choice);
void add_doctor(CLI::App& app, Choice& choice);
void add_enter(CLI::App& app, Choice& choice);
void add_end(CLI::App& app, Choice& choice);
void add_show(CLI::App& app, Choice& choice);
void add_replay(CLI::App& app, Choice& choice);
void add_diff(CLI::App& app, Choice& choice);
void add_proxy(CLI::App& app, Choice& choice);
void add_completions(CLI::App& app, Choice& choice);
void add_man(CLI::App& app, Choice& choice);

/// The whole command line. Both outlive the choice's action.
void describe_command_line(CLI::App& app, Choice& choice);

}  // namespace misrule::cli
