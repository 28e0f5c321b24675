// misrule init [DIR]: the files that begin a project.

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "controller/report/text.h"
#include "controller/starter/starter.h"

namespace misrule::cli {

namespace {

int init(const controller::StarterRequest& request) {
  const auto result = controller::write_starter(request);
  if (!result) {
    fmt::print(stderr, "misrule: {}\n", controller::harmless(result.error().what));
    return result.error().code == Code::kIo ? kInfrastructure : kWrongUse;
  }
  for (const std::string& path : result->written) print_text(fmt::format("wrote {}\n", path));
  for (const controller::StarterRemark& remark : result->remarks) {
    const std::string& file = remark.file.empty() ? request.compose_file : remark.file;
    const std::string where = remark.line == 0 ? file : fmt::format("{}:{}", file, remark.line);
    print_text(controller::harmless(fmt::format("{}: {}", where, remark.text)) + "\n");
  }
  print_text(fmt::format("now: misrule test {}\n", result->written.front()));
  return kPassed;
}

}  // namespace

void add_init(CLI::App& app, Choice& choice) {
  auto request = std::make_shared<controller::StarterRequest>();
  CLI::App* command = app.add_subcommand("init", "Write a first spec, and what runs it in CI");
  command->add_option("DIR", request->folder, "where to write")->capture_default_str();
  command->add_option("--from-compose", request->compose_file, "the system is what this file says")
      ->type_name("FILE");
  command->add_flag("--force", request->force, "write over files that are there");
  command->footer(
      "Without --from-compose two small services come with the spec.\n\nExamples:\n"
      "  misrule init demo\n  misrule init --from-compose docker-compose.yml");
  command->callback([request, &choice] { choice.action = [request] { return init(*request); }; });
}

}  // namespace misrule::cli
