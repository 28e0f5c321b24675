// misrule compile FILE: the rules of every test, as YAML with source lines.

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/settings.h"
#include "cli/terminal.h"
#include "controller/run/run.h"

namespace misrule::cli {

namespace {

int print_rules(const std::string& file, const std::vector<std::string>& settings) {
  const auto set = parse_settings(settings);
  if (!set) {
    fmt::print(stderr, "misrule: {}\n", set.error().what);
    return kWrongUse;
  }
  const auto yaml = controller::compile_rules(file, *set);
  if (yaml) {
    print_text(*yaml);
    return kPassed;
  }
  fmt::print(stderr, "{}\n", yaml.error().what);
  return kWrongUse;
}

}  // namespace

void add_compile(CLI::App& app, Choice& choice) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("compile", "Print the rules of every test as YAML");
  auto settings = std::make_shared<std::vector<std::string>>();
  command->add_option("FILE", *file, "a spec file")->required();
  add_settings(*command, *settings);
  command->footer(
      "Example:\n  misrule compile shop.star > rules.yaml\n  misrule test shop.star --rules "
      "rules.yaml");
  command->callback([file, settings, &choice] {
    choice.action = [file, settings] { return print_rules(*file, *settings); };
  });
}

}  // namespace misrule::cli
