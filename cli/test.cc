// misrule test FILE...: runs specs, tells what happened, answers by its exit code.

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/actions.h"
#include "cli/commands.h"
#include "cli/duration.h"
#include "cli/outputs.h"
#include "cli/seed.h"
#include "cli/settings.h"
#include "cli/terminal.h"
#include "cli/watch.h"
#include "controller/report/run_report.h"
#include "controller/report/text.h"
#include "controller/run/run.h"

namespace misrule::cli {

namespace {

constexpr const char* kExamples = R"(Examples:
  misrule test shop.star
  misrule test specs/*.star --json run.json
  misrule test shop.star --test test_disk_full -v
  misrule test shop.star --seed random
  misrule test shop.star --keep       then: misrule enter RUN, misrule end RUN)";

struct TestOptions {
  controller::RunRequest request = {};
  std::string seed = "1";
  std::string timeout = "120s";
  std::string network = "world";
  std::string explore = {};  ///< Which orders of what happens; none is chosen yet.
  std::vector<std::string> set = {};
  OutputPaths outputs = {};
  bool list = false;
  bool watch = false;
  std::vector<std::string> only = {};  ///< Of the files; what --watch asks of its runs.
  bool verbose = false;
  bool no_color = false;
};

int refuse(const Error& error) {
  fmt::print(stderr, "misrule: {}\n", error.what);
  return error.code == Code::kInvalid || error.code == Code::kNotFound ? kWrongUse
                                                                       : kInfrastructure;
}

Error no_exploring() {
  return {.code = Code::kInvalid,
          .what =
              "--explore is not in this version yet: a test runs in the one order that "
              "happens; parallel(f, g) makes two requests at the same time"};
}

Status complete_request(TestOptions& options) {
  controller::RunRequest& request = options.request;
  MISRULE_TRY(request.seed, parse_seed(options.seed));
  MISRULE_TRY(request.timeout, parse_duration(options.timeout));
  request.host_network = options.network == "host";
  request.all_stories = options.verbose;
  request.trace = !options.outputs.otlp.empty();
  MISRULE_TRY(request.set, parse_settings(options.set));
  return {};
}

/// Says what is planned instead of running it.
class Listing final : public controller::RunObserver {
 public:
  void spec_rejected(const controller::SpecProblem& problem) override {
    fmt::print(stderr, "{}\n", controller::harmless(problem.rendered));
  }
  void planned(const controller::RunPlan& plan) override {
    for (const auto& test : plan.tests) {
      print_text(fmt::format("{}:{}  {}{}{}\n", test.file, test.line, test.name,
                             test.description.empty() ? "" : "  ", test.description));
    }
  }
  void test_started(const controller::RunPlan::Test&) override {}
  void test_progress(const controller::RunPlan::Test&, std::string_view, std::uint64_t) override {}
  void spec_printed(std::string_view) override {}
  void test_finished(const controller::RunPlan::Test&, const model::TestReport&,
                     const std::vector<model::Event>&) override {}
};

int list_tests(const controller::RunRequest& request) {
  Listing listing;
  const auto result = controller::check_specs(request, listing);
  return result ? result->exit_code : refuse(result.error());
}

/// The outcome of a run that never began, for machines; people are told, too.
controller::RunResult not_run(const controller::RunRequest& request, const Error& error) {
  controller::RunResult result;
  result.exit_code = refuse(error);
  result.plan.seed = request.seed;
  result.problems.push_back({.finding = {.message = error.what}, .rendered = error.what});
  return result;
}

int run_tests(const TestOptions& options, const std::string& program) {
  Result<Outputs> outputs = Outputs::open(options.outputs);
  if (!outputs) return refuse(outputs.error());
  std::FILE* text = outputs->json_to_stdout() ? stderr : stdout;
  const Looks looks = looks_of(text, options.no_color);
  const SteadyClock clock;
  ActionsJob job(text);
  const auto report = controller::make_run_report(
      options.request,
      {.write =
           [text](std::string_view line) {
             std::fwrite(line.data(), 1, line.size(), text);
             // Nothing may stay behind for a forked process to write again.
             std::fflush(text);
           },
       .print = [](std::string_view line) { std::fwrite(line.data(), 1, line.size(), stderr); },
       .clock = clock,
       .color = looks.color,
       .live = looks.live,
       .columns = looks.columns,
       .rows = looks.rows,
       .verbose = options.verbose,
       .program = program,
       .version = MISRULE_VERSION});
  auto result = controller::run_specs(options.request, *report);
  if (result) {
    report->finished(*result);
  } else {
    result = not_run(options.request, result.error());
  }
  job.tell(*result, options.request, program);
  const Status written = outputs->write(*result, options.request, program, text);
  return written ? result->exit_code : refuse(written.error());
}

int run(TestOptions& options, const std::string& program, const std::vector<std::string>& words) {
  if (!options.explore.empty()) return refuse(no_exploring());
  const Status complete = complete_request(options);
  if (!complete) return refuse(complete.error());
  if (options.watch) return watch_specs(options.request, words);
  if (!options.only.empty()) options.request.files = options.only;
  return options.list ? list_tests(options.request) : run_tests(options, program);
}

void add_options(CLI::App& command, TestOptions& options) {
  controller::RunRequest& request = options.request;
  command.add_option("FILE", request.files, "spec files")->required();
  command.add_option("--test", request.test_glob, "only tests whose name matches this glob");
  command.add_option("--seed", options.seed, "of probabilities: a number, or 'random'")
      ->capture_default_str();
  command.add_option("--timeout", options.timeout, "per test, as in 90s")->capture_default_str();
  command.add_flag("--strict", request.strict, "what is not exercised or skipped has failed");
  command.add_option("--backend", request.backend, "what runs images: native, docker, auto")
      ->check(CLI::IsMember({"native", "docker", "auto"}))
      ->capture_default_str();
  command.add_option("--network", options.network, "'host': no network of its own for each test")
      ->check(CLI::IsMember({"world", "host"}))
      ->capture_default_str();
  add_settings(command, options.set);
  command.add_option("--rules", request.rules_file, "arm this file's rules beside the spec's")
      ->type_name("FILE");
  command
      .add_option("--json", options.outputs.json,
                  "write the outcome to this file; '-': standard output")
      ->type_name("FILE");
  command
      .add_option("--junit", options.outputs.junit,
                  "write the outcome as JUnit XML, for CI systems, to this file")
      ->type_name("FILE");
  command
      .add_option("--shiviz", options.outputs.shiviz,
                  "write the events with their vector clocks, as ShiViz reads them")
      ->type_name("FILE");
  command
      .add_option("--trace-otlp", options.outputs.otlp,
                  "write traces as OTLP JSON; HTTP steps hand their trace context on")
      ->type_name("FILE");
  command
      .add_option("--bundle", options.outputs.bundle,
                  "write all that is known of the run into one file, for 'show', 'replay', 'diff'")
      ->type_name("FILE");
  command
      .add_option("--report", options.outputs.report,
                  "write a page that shows the run, DIR/RUN.html, without network")
      ->type_name("DIR");
  CLI::Option* watch =
      command.add_flag("--watch", options.watch, "run again what a change touches, until Ctrl-C");
  command.add_option("--only", options.only, "of the files those")->group("");
  command.add_option("--explore", options.explore, "orders of what happens")->group("");
  command.add_flag("--list", options.list, "name the tests, run nothing")->excludes(watch);
  command.add_flag("--keep", request.keep, "the last world stays, for 'misrule enter'")
      ->excludes(watch);
  command.add_flag("-v,--verbose", options.verbose, "descriptions and events of passed tests, too");
  command.add_flag("--no-color", options.no_color, "no colours (NO_COLOR does the same)");
  command.footer(kExamples);
}

}  // namespace

void add_test(CLI::App& app, Choice& choice) {
  auto options = std::make_shared<TestOptions>();
  CLI::App* command = app.add_subcommand("test", "Run the tests of specs");
  add_options(*command, *options);
  command->callback([options, &choice] {
    choice.action = [options, program = choice.program, words = choice.words] {
      return run(*options, program, words);
    };
  });
}

}  // namespace misrule::cli
