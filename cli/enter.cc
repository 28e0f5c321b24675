// misrule enter RUN [COMMAND...]: a shell, or a command, in a world that --keep left standing.

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "controller/run/run.h"

namespace misrule::cli {

namespace {

struct EnterOptions {
  std::string run = {};
  std::vector<std::string> command = {};
};

int enter(const EnterOptions& options) {
  const auto code = controller::enter_run(options.run, options.command);
  if (code) return *code;
  fmt::print(stderr, "misrule: {}\n", code.error().what);
  return code.error().code == Code::kNotFound ? kWrongUse : kInfrastructure;
}

}  // namespace

void add_enter(CLI::App& app, Choice& choice) {
  auto options = std::make_shared<EnterOptions>();
  CLI::App* command = app.add_subcommand("enter", "Open a shell in a kept world");
  command->add_option("RUN", options->run, "as 'misrule test --keep' names it")->required();
  command->footer(
      "What follows RUN is run instead of a shell.\n\nExample:\n  misrule enter 7 psql -h "
      "localhost -U postgres");
  // What follows RUN is the command's own, its options included.
  command->prefix_command();
  command->callback([options, command, &choice] {
    options->command = command->remaining();
    choice.action = [options] { return enter(*options); };
  });
}

}  // namespace misrule::cli
