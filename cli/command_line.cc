#include "cli/command_line.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "spec/starlark/diagnostic.h"

namespace misrule::cli {

namespace {

constexpr const char* kDescription =
    "Misrule starts a system, makes things go wrong in it, and tells what stayed true.";

constexpr const char* kExamples = R"(Examples:
  misrule init demo                                  a first spec, with a system to try it on
  misrule test shop.star                             run every test of a spec
  misrule test shop.star --test 'test_disk*' -v      some tests, with everything that happened
  misrule test shop.star --set BUG=swallow_error     a value that the spec reads with env()
  misrule test shop.star --json run.json             the outcome for machines
  misrule check shop.star                            find what is wrong without starting anything
  misrule compile shop.star                          the rules of every test, as YAML
  misrule doctor                                     what this machine can do

Exit codes: 0 passed, 1 failed, 2 the spec or the command line is wrong, 3 infrastructure,
130 interrupted. 'misrule COMMAND --help' explains one command.)";

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  return star::did_you_mean(name, candidates);
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// The word that should be a subcommand and is none; empty if there is no such word.
std::string unknown_subcommand(const CLI::App& app, const std::vector<std::string>& words) {
  const auto word = std::ranges::find_if(
      words, [](const std::string& candidate) { return !candidate.starts_with("-"); });
  if (word == words.end()) return "";
  const std::vector<std::string> known = subcommand_names(app);
  return std::ranges::find(known, *word) == known.end() ? *word : "";
}

/// The option that nobody knows, without its value; empty if that is not the problem.
std::string unknown_option(const CLI::App& app, const std::vector<std::string>& words) {
  const std::vector<std::string> known = option_names(app);
  for (const std::string& word : words) {
    if (word == "--") break;
    if (!word.starts_with("--")) continue;
    const std::string name = word.substr(0, word.find('='));
    if (std::ranges::find(known, name) == known.end()) return name;
  }
  return "";
}

std::string explain(const CLI::App& app, const std::vector<std::string>& words,
                    const CLI::ParseError& error) {
  if (const std::string word = unknown_subcommand(app, words); !word.empty()) {
    return fmt::format("there is no command '{}'{}", word,
                       did_you_mean(word, subcommand_names(app)));
  }
  const auto chosen = app.get_subcommands();
  const CLI::App& scope = chosen.empty() ? app : *chosen.front();
  if (const std::string name = unknown_option(scope, words); !name.empty()) {
    return fmt::format("{} has no option {}{}", scope.get_name(), name,
                       did_you_mean(name, option_names(scope)));
  }
  return error.what();
}

/// Takes the command off that `enter` is to run: all that follows RUN, a "--" before it left out.
std::vector<std::string> take_foreign_words(std::vector<std::string>& words) {
  constexpr std::size_t kOwn = 2;  // enter RUN
  const bool enters = words.size() > kOwn && words[0] == "enter" && !words[1].starts_with("-");
  if (!enters) return {};
  const auto begin = words.begin() + kOwn + (words[kOwn] == "--" ? 1 : 0);
  std::vector<std::string> foreign(begin, words.end());
  words.resize(kOwn);
  return foreign;
}

}  // namespace

void describe_command_line(CLI::App& app, Choice& choice) {
  app.set_version_flag("--version", "misrule " MISRULE_VERSION);
  app.require_subcommand(1);
  add_init(app, choice);
  add_test(app, choice);
  add_check(app, choice);
  add_compile(app, choice);
  add_enter(app, choice);
  add_end(app, choice);
  add_show(app, choice);
  add_replay(app, choice);
  add_diff(app, choice);
  add_doctor(app, choice);
  add_proxy(app, choice);
  add_completions(app, choice);
  add_man(app, choice);
  // Last: a subcommand without a footer of its own takes the one that there is when it is added.
  app.footer(kExamples);
}

int run_command_line(int argc, char** argv) {
  CLI::App app(kDescription, "misrule");
  Choice choice;
  if (argc > 0) choice.program = argv[0];
  describe_command_line(app, choice);
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  choice.words = words;
  choice.foreign_words = take_foreign_words(words);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "misrule: {}\n", explain(app, words, error));
    fmt::print(stderr, "'misrule --help' shows the commands and examples.\n");
    return kWrongUse;
  }
  return choice.action();
}

}  // namespace misrule::cli
