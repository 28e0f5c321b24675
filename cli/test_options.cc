#include "cli/test_options.h"

#include <CLI/CLI.hpp>

#include "cli/duration.h"
#include "cli/seed.h"
#include "cli/settings.h"

namespace misrule::cli {

namespace {

constexpr const char* kExamples = R"(Examples:
  misrule test shop.star
  misrule test specs/*.star --json run.json
  misrule test shop.star --test test_disk_full -v
  misrule test shop.star --seed random
  misrule test shop.star --keep       then: misrule enter RUN, misrule end RUN)";

void add_what_runs(CLI::App& command, TestOptions& options) {
  controller::RunRequest& request = options.request;
  command.add_option("FILE", request.files, "spec files")->required();
  command.add_option("--test", request.test_glob, "only tests whose name matches this glob");
  command.add_option("--seed", options.seed, "of probabilities: a number, or 'random'")
      ->capture_default_str();
  command.add_option("--timeout", options.timeout, "per test, as in 90s")->capture_default_str();
  command.add_flag("--strict", request.strict, "what is not exercised or not judged has failed");
  add_settings(command, options.set);
  command.add_option("--rules", request.rules_file, "arm this file's rules beside the spec's")
      ->type_name("FILE");
}

void add_where(CLI::App& command, TestOptions& options) {
  command
      .add_option("--backend", options.request.backend, "what runs images: native, docker, auto")
      ->check(CLI::IsMember({"native", "docker", "auto"}))
      ->capture_default_str();
  command.add_option("--network", options.network, "'host': no network of its own for each test")
      ->check(CLI::IsMember({"world", "host"}))
      ->capture_default_str();
}

void add_file(CLI::App& command, const char* flag, std::string& path, const char* what,
              const char* type = "FILE") {
  command.add_option(flag, path, what)->type_name(type);
}

void add_outputs(CLI::App& command, TestOptions& options) {
  OutputPaths& outputs = options.outputs;
  add_file(command, "--json", outputs.json, "write the outcome to this file; '-': standard output");
  add_file(command, "--junit", outputs.junit,
           "write the outcome as JUnit XML, for CI systems, to this file");
  add_file(command, "--shiviz", outputs.shiviz,
           "write the events with their vector clocks, as ShiViz reads them");
  add_file(command, "--trace-otlp", outputs.otlp,
           "write traces as OTLP JSON; HTTP steps hand their trace context on");
  add_file(command, "--bundle", outputs.bundle,
           "write all that is known of the run into one file, for 'show', 'replay', 'diff'");
  command.add_flag("--bundle-without-services", options.without_services,
                   "the bundle only names the programs that services run");
  add_file(command, "--report", outputs.report,
           "write a page that shows the run, DIR/RUN.html, without network", "DIR");
}

void add_manner(CLI::App& command, TestOptions& options) {
  CLI::Option* watch =
      command.add_flag("--watch", options.watch, "run again what a change touches, until Ctrl-C");
  command.add_option("--only", options.only, "of the files those")->group("");
  command.add_option("--explore", options.explore, "orders of what happens")->group("");
  command.add_flag("--list", options.list, "name the tests, run nothing")->excludes(watch);
  command.add_flag("--keep", options.request.keep, "the last world stays, for 'misrule enter'")
      ->excludes(watch);
  command.add_flag("-v,--verbose", options.verbose, "descriptions and events of passed tests, too");
  command.add_flag("--no-color", options.no_color, "no colours (NO_COLOR does the same)");
}

}  // namespace

void add_test_options(CLI::App& command, TestOptions& options) {
  add_what_runs(command, options);
  add_where(command, options);
  add_outputs(command, options);
  add_manner(command, options);
  command.footer(kExamples);
}

Status complete_request(TestOptions& options) {
  controller::RunRequest& request = options.request;
  MISRULE_TRY(request.seed, parse_seed(options.seed));
  MISRULE_TRY(request.timeout, parse_duration(options.timeout));
  request.host_network = options.network == "host";
  request.all_stories = options.verbose;
  options.outputs.bundle_services = !options.without_services;
  request.trace = !options.outputs.otlp.empty();
  MISRULE_TRY(request.set, parse_settings(options.set));
  return {};
}

}  // namespace misrule::cli
