// misrule doctor: what this machine can do, and what each missing thing costs.

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "controller/report/text.h"
#include "controller/run/run.h"
#include "interceptor/interceptor.h"

namespace misrule::cli {

namespace {

/// One thing: a mark, its name, what was found, and what it costs not to have it.
void print_finding(const controller::Paint& paint, bool available, const std::string& name,
                   const std::string& detail, const std::string& cost) {
  fmt::print("  {} {}  {}\n", available ? paint.green("✓") : paint.red("✗"),
             controller::padded(name, 24), detail);
  if (!available && !cost.empty()) fmt::print("      without it: {}\n", cost);
}

int examine(bool no_color) {
  const controller::Paint paint(looks_of(stdout, no_color).color);
  fmt::print("{}\n", paint.bold("kernel"));
  const bool root = geteuid() == 0;
  print_finding(paint, root, "root", root ? "yes" : fmt::format("user {}", geteuid()),
                "worlds need it: run misrule with sudo");
  bool complete = root;
  for (const interceptor::Probe& probe : interceptor::probe_kernel()) {
    print_finding(paint, probe.available, probe.name, probe.detail, probe.cost);
    complete = complete && (probe.available || probe.cost.empty());
  }
  fmt::print("{}\n", paint.bold("servers that stand in for images"));
  for (const controller::ServerFound& server : controller::find_servers()) {
    const bool found = !server.server.empty();
    print_finding(paint, found, server.image, found ? server.server : "not found", server.missing);
    complete = complete && found;
  }
  fmt::print("{}\n",
             complete ? paint.green("everything is there") : paint.yellow("something is missing"));
  return kPassed;
}

}  // namespace

void add_doctor(CLI::App& app, Choice& choice) {
  auto no_color = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("doctor", "Say what this machine can do, and what is missing");
  command->add_flag("--no-color", *no_color, "no colours (NO_COLOR does the same)");
  command->callback(
      [no_color, &choice] { choice.action = [no_color] { return examine(*no_color); }; });
}

}  // namespace misrule::cli
