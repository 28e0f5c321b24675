// misrule completions SHELL, misrule man [DIR]: the command line, told to shells and to man(1).

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/completion_scripts.h"
#include "cli/manual_pages.h"
#include "cli/outline.h"
#include "cli/terminal.h"

namespace misrule::cli {

namespace {

int print_completion(const CLI::App& app, const std::string& shell) {
  const CommandOutline program = outline_of(app);
  if (shell == "bash") print_text(bash_completion(program));
  if (shell == "zsh") print_text(zsh_completion(program));
  if (shell == "fish") print_text(fish_completion(program));
  return kPassed;
}

bool write_page(const std::filesystem::path& folder, const std::string& name,
                const std::string& text) {
  const std::filesystem::path path = folder / (name + ".1");
  std::ofstream file(path);
  if ((file << text).flush()) return true;
  fmt::print(stderr, "misrule: cannot write {}\n", path.string());
  return false;
}

int write_manual(const CLI::App& app, const std::string& folder) {
  const CommandOutline program = outline_of(app);
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  bool written = write_page(folder, "misrule", manual_of_program(program, MISRULE_VERSION));
  for (const CommandOutline& command : program.commands) {
    written = written && write_page(folder, "misrule-" + command.name,
                                    manual_of_command(command, MISRULE_VERSION));
  }
  return written ? kPassed : kInfrastructure;
}

}  // namespace

void add_completions(CLI::App& app, Choice& choice) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("completions", "Print what makes a shell complete misrule");
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  command->footer(
      "Examples:\n  source <(misrule completions bash)\n"
      "  misrule completions zsh > ~/.zfunc/_misrule\n"
      "  misrule completions fish > ~/.config/fish/completions/misrule.fish");
  command->callback([&app, shell, &choice] {
    choice.action = [&app, shell] { return print_completion(app, *shell); };
  });
}

void add_man(CLI::App& app, Choice& choice) {
  auto folder = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("man", "Write the manual pages");
  command->group("");  // For the build; people read the pages by man(1).
  command->add_option("DIR", *folder, "where to write them")->required();
  command->callback([&app, folder, &choice] {
    choice.action = [&app, folder] { return write_manual(app, *folder); };
  });
}

}  // namespace misrule::cli
