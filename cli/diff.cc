// misrule diff A B: what changed from one run to another.

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "controller/bundle/run_record.h"
#include "controller/report/text.h"

namespace misrule::cli {

namespace {

constexpr int kDiffers = 1;

int diff(const std::string& left, const std::string& right) {
  const auto before = controller::read_run(left);
  const auto after = controller::read_run(right);
  for (const auto* run : {&before, &after}) {
    if (*run) continue;
    fmt::print(stderr, "misrule: {}\n", run->error().what);
    return kWrongUse;
  }
  const controller::RunDifference found = controller::diff_runs(*before, *after);
  for (const std::string& line : found.lines) print_text(controller::harmless(line) + "\n");
  if (!found.lines.empty()) return kDiffers;
  print_text(
      fmt::format("{} tests and {} events, and nothing differs\n", found.tests, found.essences));
  return kPassed;
}

}  // namespace

void add_diff(CLI::App& app, Choice& choice) {
  struct Sides {
    std::string left = {};
    std::string right = {};
  };
  auto sides = std::make_shared<Sides>();
  CLI::App* command = app.add_subcommand("diff", "Say what changed between two runs");
  const char* what = "a bundle, a run's folder or its name, 'latest', or a file of --json";
  command->add_option("A", sides->left, what)->required();
  command->add_option("B", sides->right, what)->required();
  command->footer(
      "Examples:\n  misrule diff before.misrule after.misrule\n  misrule diff run.misrule latest");
  command->callback(
      [sides, &choice] { choice.action = [sides] { return diff(sides->left, sides->right); }; });
}

}  // namespace misrule::cli
