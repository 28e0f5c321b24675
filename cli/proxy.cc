// misrule proxy: a proxy that stands alone, without a spec.

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "proxy/standalone.h"

namespace misrule::cli {

namespace {

int run_and_explain(const proxy::StandaloneArguments& arguments) {
  const Result<int> code = proxy::run_standalone(arguments);
  if (code) return *code;
  fmt::print(stderr, "misrule: {}\n", code.error().what);
  return code.error().code == Code::kIo ? kInfrastructure : kWrongUse;
}

}  // namespace

void add_proxy(CLI::App& app, Choice& choice) {
  auto arguments = std::make_shared<proxy::StandaloneArguments>();
  CLI::App* command = app.add_subcommand("proxy", "Run proxies that stand alone, with rules");
  proxy::add_standalone_options(*command, *arguments);
  command->callback([arguments, &choice] {
    choice.action = [arguments] { return run_and_explain(*arguments); };
  });
}

}  // namespace misrule::cli
