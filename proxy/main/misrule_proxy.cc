// misrule-proxy: one proxy in front of one server, for sidecars and benchmarks.

#include <fstream>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include "proxy/standalone.h"
#include "spec/model/rules.pb.h"

namespace misrule::proxy {
namespace {

struct Arguments {
  std::string listen = "127.0.0.1:0";
  std::string upstream = {};
  std::string protocol = "tcp";
  std::string rules_file = {};
};

Status read_rules(const std::string& path, model::RuleSet& rules) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return fail(Code::kNotFound, fmt::format("cannot read {}", path));
  const auto status = google::protobuf::util::JsonStringToMessage(text.str(), &rules);
  if (status.ok()) return {};
  return fail(Code::kInvalid, fmt::format("{}: {}", path, status.message().ToString()));
}

Result<int> run(const Arguments& arguments, StandaloneOptions& options) {
  const auto protocol = model::protocol_from_name(arguments.protocol);
  if (!protocol) {
    return fail(Code::kInvalid, fmt::format("--protocol {}: unknown", arguments.protocol));
  }
  options.listener.protocol = *protocol;
  MISRULE_TRY(options.listener.listen, parse_endpoint(arguments.listen));
  MISRULE_TRY(options.listener.upstream, parse_endpoint(arguments.upstream));
  if (!arguments.rules_file.empty()) {
    options.load_rules = [&](model::RuleSet& rules) {
      return read_rules(arguments.rules_file, rules);
    };
  }
  return run_standalone(options);
}

int main_with(int argc, char** argv) {
  Arguments arguments;
  StandaloneOptions options;
  CLI::App app{
      "A proxy in front of one server. SIGHUP loads the rules again, SIGUSR1 tells the "
      "counters, SIGTERM drains and ends it."};
  app.add_option("--listen", arguments.listen, "HOST:PORT; port 0: any")->capture_default_str();
  app.add_option("--upstream", arguments.upstream, "HOST:PORT of the real server")->required();
  app.add_option("--protocol", arguments.protocol, "postgres, http or tcp")->capture_default_str();
  app.add_option("--rules", arguments.rules_file, "rules as JSON (a RuleSet)");
  options.listener.service = "upstream";
  options.listener.interface = "main";
  app.add_option("--service", options.listener.service, "what rules call the server")
      ->capture_default_str();
  app.add_option("--interface", options.listener.interface, "what rules call this interface")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of probabilities")->capture_default_str();
  app.add_option("--loops", options.loops, "event loops, each a thread")->capture_default_str();
  app.add_flag("--record-all", options.record_all,
               "an event per request, not only where a rule acts");
  CLI11_PARSE(app, argc, argv);
  const Result<int> code = run(arguments, options);
  if (code.has_value()) return *code;
  fmt::print(stderr, "misrule-proxy: {}\n", code.error().what);
  return code.error().code == Code::kInvalid ? 2 : 3;
}

}  // namespace
}  // namespace misrule::proxy

int main(int argc, char** argv) { return misrule::proxy::main_with(argc, argv); }
