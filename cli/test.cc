// misrule test FILE...: runs specs, tells what happened, answers by its exit code.

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/actions.h"
#include "cli/commands.h"
#include "cli/outputs.h"
#include "cli/terminal.h"
#include "cli/test_options.h"
#include "cli/watch.h"
#include "controller/report/run_report.h"
#include "controller/report/text.h"
#include "controller/run/run.h"

namespace misrule::cli {

namespace {

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

}  // namespace

void add_test(CLI::App& app, Choice& choice) {
  auto options = std::make_shared<TestOptions>();
  CLI::App* command = app.add_subcommand("test", "Run the tests of specs");
  add_test_options(*command, *options);
  command->callback([options, &choice] {
    choice.action = [options, program = choice.program, words = choice.words] {
      return run(*options, program, words);
    };
  });
}

}  // namespace misrule::cli
