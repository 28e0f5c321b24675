// misrule check FILE...: everything that can be known of specs before anything starts.

#include <cstdio>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/settings.h"
#include "cli/terminal.h"
#include "controller/report/text.h"
#include "controller/run/run.h"

namespace misrule::cli {

namespace {

class CheckReport final : public controller::RunObserver {
 public:
  void spec_rejected(const controller::SpecProblem& problem) override {
    fmt::print(stderr, "{}\n", controller::harmless(problem.rendered));
  }
  void planned(const controller::RunPlan& plan) override {
    std::map<std::string, std::size_t> tests;
    for (const auto& test : plan.tests) ++tests[test.file];
    for (const auto& [file, count] : tests) print_text(fmt::format("{}: {} tests\n", file, count));
    for (const std::string& note : plan.notes) print_text(fmt::format("note: {}\n", note));
  }
  void test_started(const controller::RunPlan::Test&) override {}
  void test_progress(const controller::RunPlan::Test&, std::string_view, std::uint64_t) override {}
  void spec_printed(std::string_view) override {}
  void test_finished(const controller::RunPlan::Test&, const model::TestReport&,
                     const std::vector<model::Event>&) override {}
};

int check(controller::RunRequest request, const std::vector<std::string>& settings) {
  auto set = parse_settings(settings);
  if (!set) {
    fmt::print(stderr, "misrule: {}\n", set.error().what);
    return kWrongUse;
  }
  request.set = *std::move(set);
  CheckReport report;
  const auto result = controller::check_specs(request, report);
  if (!result) {
    fmt::print(stderr, "misrule: {}\n", result.error().what);
    return result.error().code == Code::kNotFound || result.error().code == Code::kInvalid
               ? kWrongUse
               : kInfrastructure;
  }
  return result->exit_code;
}

}  // namespace

void add_check(CLI::App& app, Choice& choice) {
  auto request = std::make_shared<controller::RunRequest>();
  CLI::App* command = app.add_subcommand("check", "Find what is wrong with specs, start nothing");
  auto settings = std::make_shared<std::vector<std::string>>();
  command->add_option("FILE", request->files, "spec files")->required();
  add_settings(*command, *settings);
  command->footer(
      "Examples:\n  misrule check specs/*.star\n  misrule check shop.star --set TOKEN=x");
  command->callback([request, settings, &choice] {
    choice.action = [request, settings] { return check(*request, *settings); };
  });
}

}  // namespace misrule::cli
