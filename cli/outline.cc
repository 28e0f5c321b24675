#include "cli/outline.h"

#include <CLI/CLI.hpp>

namespace misrule::cli {

namespace {

/// "TEXT:{a,b}": what stands in the braces.
std::vector<std::string> choices_of(const std::string& type) {
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::vector<std::string> choices = {""};
  for (const char c : type.substr(open + 1, close - open - 1)) {
    if (c == ',') {
      choices.emplace_back();
    } else {
      choices.back() += c;
    }
  }
  return choices;
}

OptionOutline outline_of(const CLI::Option& option) {
  OptionOutline outline = {.description = option.get_description(),
                           .preset = option.get_default_str(),
                           .positional = option.nonpositional() ? false : option.get_positional(),
                           .required = option.get_required(),
                           .repeated = option.get_expected_max() > 1};
  for (const std::string& name : option.get_snames()) outline.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) outline.names.push_back("--" + name);
  if (outline.positional) outline.names = {option.get_name(true)};
  if (option.get_items_expected_max() == 0) return outline;
  const std::string type = option.get_type_name();
  outline.choices = choices_of(type);
  outline.value = outline.positional ? outline.names.front() : type.substr(0, type.find(':'));
  return outline;
}

}  // namespace

CommandOutline outline_of(const CLI::App& app) {
  CommandOutline outline = {
      .name = app.get_name(), .description = app.get_description(), .footer = app.get_footer()};
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) outline.options.push_back(outline_of(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) outline.commands.push_back(outline_of(*command));
  }
  return outline;
}

}  // namespace misrule::cli
