// misrule enter RUN [COMMAND...]: a shell, or a command, in a world that --keep left standing.

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "controller/run/run.h"

namespace misrule::cli {

namespace {

int enter(const std::string& run, const std::vector<std::string>& words) {
  const auto code = controller::enter_run(run, words);
  if (code) return *code;
  fmt::print(stderr, "misrule: {}\n", code.error().what);
  const bool wrong = code.error().code == Code::kNotFound || code.error().code == Code::kInvalid;
  return wrong ? kWrongUse : kInfrastructure;
}

}  // namespace

void add_enter(CLI::App& app, Choice& choice) {
  auto run = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("enter", "Open a shell in a kept world");
  command->add_option("RUN", *run, "as 'misrule test --keep' names it")->required();
  command->footer(
      "What follows RUN is run instead of a shell.\n\nExample:\n  misrule enter 7 psql -h "
      "localhost "
      "-U postgres");
  command->callback([run, &choice] {
    choice.action = [run, &choice] { return enter(*run, choice.foreign_words); };
  });
}

}  // namespace misrule::cli
