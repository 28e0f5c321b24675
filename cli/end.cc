// misrule end RUN: ends a world that --keep left standing.

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "controller/run/run.h"

namespace misrule::cli {

namespace {

int end_world(const std::string& run) {
  const Status ended = controller::end_run(run);
  if (ended) return kPassed;
  fmt::print(stderr, "misrule: {}\n", ended.error().what);
  const bool wrong = ended.error().code == Code::kNotFound || ended.error().code == Code::kInvalid;
  return wrong ? kWrongUse : kInfrastructure;
}

}  // namespace

void add_end(CLI::App& app, Choice& choice) {
  auto run = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("end", "End a kept world");
  command->add_option("RUN", *run, "as 'misrule test --keep' names it")->required();
  command->callback([run, &choice] { choice.action = [run] { return end_world(*run); }; });
}

}  // namespace misrule::cli
