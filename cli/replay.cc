// misrule replay BUNDLE: the same tests with the same seed, in the project as it stands here; did
// rules decide as they did then?

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/settings.h"
#include "cli/terminal.h"
#include "controller/bundle/bundle.h"
#include "controller/bundle/programs.h"
#include "controller/bundle/run_record.h"
#include "controller/report/run_report.h"
#include "controller/report/text.h"
#include "controller/run/run.h"

namespace misrule::cli {

namespace {

constexpr int kDiverged = 1;
constexpr int kInterrupted = 130;

int refuse(const Error& error) {
  fmt::print(stderr, "misrule: {}\n", error.what);
  return error.code == Code::kInvalid || error.code == Code::kNotFound ? kWrongUse
                                                                       : kInfrastructure;
}

/// Another spec would be another run.
Status check_sources(const controller::Bundle& bundle, const controller::SecretMask& mask) {
  for (const std::string& file : bundle.request.files) {
    const std::string path = std::filesystem::path(file).lexically_normal();
    const auto held = std::ranges::find(bundle.sources, path, &controller::BundleSource::path);
    if (held == bundle.sources.end()) {
      return fail(Code::kInvalid, fmt::format("the bundle does not hold {}", file));
    }
  }
  for (const controller::BundleSource& source : bundle.sources) {
    std::ifstream file(source.path, std::ios::binary);
    if (!file) {
      return fail(Code::kNotFound,
                  fmt::format("{} is not here: replay where the run was made, or put there what "
                              "'misrule show' gives of it",
                              source.path));
    }
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    if (mask.masked(text) == source.text) continue;
    return fail(Code::kInvalid,
                fmt::format("{} is not what the run read; 'misrule show' gives that", source.path));
  }
  return {};
}

/// Whether another program does the same is what a replay is for: it is only told that it is one.
void note_programs(const controller::Bundle& bundle) {
  for (const controller::BundleProgram& program : bundle.programs) {
    std::error_code error;
    const bool is_here = std::filesystem::is_regular_file(program.path, error);
    const bool is_same = is_here && !program.hash.empty() &&
                         controller::hash_of_program(program.path) == program.hash;
    if (is_same) continue;
    const std::string held = program.file.empty() ? "" : "; the bundle has it as " + program.file;
    print_text(
        controller::harmless(fmt::format("note: {} of {} is {}{}", program.path, program.service,
                                         is_here ? "not what the run had" : "not here", held)) +
        "\n");
  }
}

Status complete_settings(controller::Bundle& bundle,
                         const std::vector<std::pair<std::string, std::string>>& given) {
  for (const auto& setting : given) {
    std::erase(bundle.secret_settings, setting.first);
    std::erase_if(bundle.request.set,
                  [&](const auto& known) { return known.first == setting.first; });
    bundle.request.set.push_back(setting);
  }
  if (bundle.secret_settings.empty()) return {};
  const std::string& name = bundle.secret_settings.front();
  return fail(Code::kInvalid,
              fmt::format("the bundle does not hold the secret {}: say --set {}=...", name, name));
}

Result<controller::RunResult> run_again(const controller::RunRequest& request,
                                        const std::string& program) {
  const Looks looks = looks_of(stdout, false);
  const SteadyClock clock;
  const auto report = controller::make_run_report(
      request,
      {.write =
           [](std::string_view text) {
             std::fwrite(text.data(), 1, text.size(), stdout);
             std::fflush(stdout);
           },
       .print = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); },
       .clock = clock,
       .color = looks.color,
       .live = looks.live,
       .columns = looks.columns,
       .program = program,
       .version = MISRULE_VERSION});
  auto result = controller::run_specs(request, *report);
  if (result) report->finished(*result);
  return result;
}

int tell(const controller::RunDifference& found) {
  if (found.lines.empty()) {
    print_text(fmt::format("replayed: {} tests, {} decisions, as in the bundle\n", found.tests,
                           found.essences));
    return kPassed;
  }
  print_text("DIVERGED\n");
  for (const std::string& line : found.lines) print_text(controller::harmless(line) + "\n");
  return kDiverged;
}

int replay(const std::string& path, const std::vector<std::string>& settings,
           const std::string& program) {
  auto bundle = controller::read_bundle(path);
  if (!bundle) return refuse(bundle.error());
  const auto given = parse_settings(settings);
  if (!given) return refuse(given.error());
  Status ready = complete_settings(*bundle, *given);
  controller::SecretMask mask;
  mask.add_secrets(bundle->request.set);
  mask.add_secrets(controller::environment_pairs());
  if (ready) ready = check_sources(*bundle, mask);
  if (!ready) return refuse(ready.error());
  auto before = controller::record_of_bundle(bundle->files);
  if (!before) return refuse(before.error());
  before->name = "the bundle";
  note_programs(*bundle);
  const auto result = run_again(bundle->request, program);
  if (!result) return refuse(result.error());
  if (result->exit_code == kInterrupted || result->reports.empty()) return result->exit_code;
  auto after = controller::read_run(result->plan.folder);
  if (!after) return refuse(after.error());
  after->name = "the replay";
  return tell(controller::diff_decisions(*before, *after));
}

}  // namespace

void add_replay(CLI::App& app, Choice& choice) {
  struct Options {
    std::string bundle = {};
    std::vector<std::string> set = {};
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("replay", "Run a bundle's tests again, and compare");
  command->add_option("BUNDLE", options->bundle, "what 'misrule test --bundle' wrote")->required();
  add_settings(*command, options->set);
  command->footer(
      "Examples:\n  misrule replay run.misrule\n  misrule replay run.misrule --set TOKEN=x");
  command->callback([options, &choice] {
    choice.action = [options, program = choice.program] {
      return replay(options->bundle, options->set, program);
    };
  });
}

}  // namespace misrule::cli
