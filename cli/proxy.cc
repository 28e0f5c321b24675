// misrule proxy: one proxy in front of one server, without a spec.

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "controller/compile/rules_file.h"
#include "proxy/standalone.h"

namespace misrule::cli {

namespace {

constexpr const char* kExamples = R"(Examples:
  misrule proxy --listen 127.0.0.1:6432 --upstream 127.0.0.1:5432 --protocol postgres
  misrule proxy --upstream 127.0.0.1:8080 --protocol http --rules rules.yaml

SIGHUP reads the rules again, SIGUSR1 prints the counters, SIGTERM drains and ends.)";

struct ProxyOptions {
  proxy::StandaloneOptions standalone = {};
  std::string listen = "127.0.0.1:0";
  std::string upstream = {};
  std::string protocol = "tcp";
  std::string rules_file = {};
};

/// Every declared rule of a file that `misrule compile` printed; templates are not rules yet.
Status read_rules(const std::string& path, model::RuleSet& rules) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return fail(Code::kNotFound, fmt::format("cannot read {}", path));
  MISRULE_TRY(const model::RuleFile read, controller::rules_from_yaml(text.str(), path));
  for (const model::TestRules& test : read.tests()) {
    for (const model::Rule& rule : test.rules()) *rules.add_rules() = rule;
    for (const model::Rule& rule : test.dynamic()) {
      fmt::print(stderr, "misrule: {} is a template, skipped\n", rule.id());
    }
  }
  return {};
}

Result<int> run(ProxyOptions& options) {
  proxy::StandaloneOptions& standalone = options.standalone;
  const auto protocol = model::protocol_from_name(options.protocol);
  if (!protocol) {
    return fail(Code::kInvalid, fmt::format("--protocol {}: unknown", options.protocol));
  }
  standalone.listener.protocol = *protocol;
  MISRULE_TRY(standalone.listener.listen, proxy::parse_endpoint(options.listen));
  MISRULE_TRY(standalone.listener.upstream, proxy::parse_endpoint(options.upstream));
  if (!options.rules_file.empty()) {
    standalone.load_rules = [&options](model::RuleSet& rules) {
      return read_rules(options.rules_file, rules);
    };
  }
  return proxy::run_standalone(standalone);
}

int run_and_explain(ProxyOptions& options) {
  const Result<int> code = run(options);
  if (code) return *code;
  fmt::print(stderr, "misrule: {}\n", code.error().what);
  return code.error().code == Code::kIo ? kInfrastructure : kWrongUse;
}

}  // namespace

void add_proxy(CLI::App& app, Choice& choice) {
  auto options = std::make_shared<ProxyOptions>();
  proxy::StandaloneOptions& standalone = options->standalone;
  standalone.listener.service = "upstream";
  standalone.listener.interface = "main";
  CLI::App* command = app.add_subcommand("proxy", "Run one proxy in front of one server");
  command->add_option("--listen", options->listen, "HOST:PORT; port 0: any")->capture_default_str();
  command->add_option("--upstream", options->upstream, "HOST:PORT of the real server")->required();
  command->add_option("--protocol", options->protocol, "postgres, http or tcp")
      ->capture_default_str();
  command->add_option("--rules", options->rules_file, "rules as YAML, as 'misrule compile' prints");
  command->add_option("--service", standalone.listener.service, "what rules call the server")
      ->capture_default_str();
  command->add_option("--interface", standalone.listener.interface, "what rules call the interface")
      ->capture_default_str();
  command->add_option("--seed", standalone.seed, "of probabilities")->capture_default_str();
  command->add_flag("--record-all", standalone.record_all,
                    "an event per request, not only where a rule acts");
  command->footer(kExamples);
  command->callback(
      [options, &choice] { choice.action = [options] { return run_and_explain(*options); }; });
}

}  // namespace misrule::cli
