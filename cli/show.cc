// misrule show BUNDLE [FILE]: what a bundle of a run holds.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "controller/bundle/bundle.h"
#include "controller/bundle/run_record.h"
#include "controller/report/text.h"

namespace misrule::cli {

namespace {

namespace fs = std::filesystem;

struct ShowOptions {
  std::string bundle = {};
  std::string file = {};
  std::string extract = {};
};

int refuse(const Error& error) {
  fmt::print(stderr, "misrule: {}\n", error.what);
  return kWrongUse;
}

/// Names of a bundle that could be read lead nowhere but below the folder.
Status extract(const controller::Bundle& bundle, const fs::path& folder) {
  std::error_code error;
  if (!fs::create_directory(folder, error)) {
    return fail(Code::kInvalid,
                fmt::format("cannot make {}: {}", folder.string(),
                            error ? error.message() : std::string("it is there already")));
  }
  for (const auto& [name, content] : bundle.files) {
    const fs::path path = folder / name;
    fs::create_directories(path.parent_path(), error);
    if (!(std::ofstream(path, std::ios::binary) << content).flush()) {
      return fail(Code::kIo, fmt::format("cannot write {}", path.string()));
    }
  }
  return {};
}

void print_line(std::string_view line) { print_text(controller::harmless(line) + "\n"); }

void print_overview(const controller::Bundle& bundle, const controller::RunRecord& run) {
  print_line(fmt::format("misrule {} · seed {} · {}", bundle.version, bundle.request.seed,
                         bundle.machine));
  for (const controller::TestRecord& test : run.tests) {
    const std::string reason = test.reason.empty() ? "" : "  " + test.reason;
    print_line(fmt::format("  {:14} {}{}", test.verdict, test.name, reason));
  }
  for (std::size_t i = 0; i < bundle.sources.size(); ++i) {
    print_line(fmt::format("spec/{} is {}", i, bundle.sources[i].path));
  }
  for (const controller::BundleProgram& program : bundle.programs) {
    print_line(program.file.empty()
                   ? fmt::format("{} ran {} ({})", program.service, program.path, program.hash)
                   : fmt::format("{} is {}, of {}", program.file, program.path, program.service));
  }
  for (const auto& [name, content] : bundle.files) {
    print_line(fmt::format("{:>10}  {}", content.size(), name));
  }
}

int show(const ShowOptions& options) {
  const auto bundle = controller::read_bundle(options.bundle);
  if (!bundle) return refuse(bundle.error());
  if (!options.extract.empty()) {
    const Status done = extract(*bundle, options.extract);
    return done ? kPassed : refuse(done.error());
  }
  if (!options.file.empty()) {
    const auto file = bundle->files.find(options.file);
    if (file == bundle->files.end()) {
      return refuse({Code::kNotFound, fmt::format("{} has no {}", options.bundle, options.file)});
    }
    print_text(file->second);
    return kPassed;
  }
  const auto run = controller::record_of_bundle(bundle->files);
  if (!run)
    return refuse({Code::kInvalid, fmt::format("{}: {}", options.bundle, run.error().what)});
  print_overview(*bundle, *run);
  return kPassed;
}

}  // namespace

void add_show(CLI::App& app, Choice& choice) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* command = app.add_subcommand("show", "Look into a bundle of a run");
  command->add_option("BUNDLE", options->bundle, "what 'misrule test --bundle' wrote")->required();
  command->add_option("FILE", options->file, "print this file of the bundle");
  command->add_option("--extract", options->extract, "unpack the bundle into this new folder")
      ->type_name("DIR");
  command->footer(
      "Examples:\n  misrule show run.misrule\n  misrule show run.misrule spec/0\n"
      "  misrule show run.misrule report.html > report.html");
  command->callback([options, &choice] { choice.action = [options] { return show(*options); }; });
}

}  // namespace misrule::cli
