#include "controller/run/loading.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/glob.h"
#include "base/nearest.h"
#include "controller/run/report_bounds.h"
#include "controller/run/world/journal.h"
#include "interceptor/interceptor.h"
#include "proxy/proxy.h"

namespace misrule::controller {
namespace {

Status check_rule(const model::Topology& topology, model::Rule& rule) {
  // The families' own legality is checked where they are named; the proxy knows the protocols'.
  return rule.has_syscall() ? Status() : proxy::check_rule(topology, rule);
}

SpecProblem problem_of(const std::string& file, const Error& error) {
  return {.file = file, .finding = {.message = error.what}, .rendered = file + ": " + error.what};
}

void print_to_standard_error(std::string_view line) { fmt::print(stderr, "{}\n", line); }

bool is_specs_fault(const Error& error) { return error.code == Code::kInvalid; }

SpecProblem problem_of_plan(const LoadedSpec& loaded, const PlanFailure& failure) {
  if (failure.in_project) {
    return {.file = failure.in_project->finding.position.file,
            .finding = failure.in_project->finding,
            .rendered = failure.in_project->rendered};
  }
  if (failure.service.empty()) return problem_of(loaded.file, failure);
  dsl::Problem problem =
      loaded.spec->problem_of_service(failure.service, failure.field, failure.what);
  return {.file = loaded.file,
          .finding = std::move(problem.finding),
          .rendered = std::move(problem.rendered)};
}

model::CellPlace cell_of(const LoadedSpec& loaded, const dsl::Test& test) {
  if (!test.cell) return {};
  const auto shares_fault = [&](const dsl::Test& other) {
    return other.cell && other.cell->matrix == test.cell->matrix &&
           other.cell->fault == test.cell->fault;
  };
  const auto cells = std::ranges::count_if(loaded.spec->tests(), shares_fault);
  return {.spec = loaded.file,
          .matrix = test.cell->matrix,
          .scenario = test.cell->scenario,
          .fault = test.cell->fault,
          .fault_cells = static_cast<std::size_t>(cells)};
}

/// Plans a spec's services and takes its selected tests up.
void take_up(LoadedSpec loaded, const RunRequest& request, LoadedRun& run) {
  auto plans = plan_services(
      loaded.spec->topology(),
      {.spec_file = loaded.file, .backend = request.backend, .state_folder = state_directory()});
  if (!plans) {
    auto& list = is_specs_fault(plans.error()) ? run.problems : run.obstacles;
    list.push_back(problem_of_plan(loaded, plans.error()));
    return;
  }
  loaded.plans = *std::move(plans);
  for (const ServicePlan& plan : loaded.plans) {
    if (!plan.note.empty()) run.stand_ins.push_back(plan.note);
    run.notes.insert(run.notes.end(), plan.warnings.begin(), plan.warnings.end());
  }
  for (const dsl::Problem& note : loaded.spec->notes()) run.notes.push_back(note.rendered);
  const Glob wanted(request.test_glob);
  for (const dsl::Test& test : loaded.spec->tests()) {
    if (!wanted.matches(test.name)) continue;
    run.tests.push_back({.spec = run.specs.size(),
                         .test = {.file = loaded.file,
                                  .name = test.name,
                                  .description = test.description,
                                  .line = test.position.line,
                                  .control = test.control,
                                  .cell = cell_of(loaded, test)}});
  }
  run.specs.push_back(std::move(loaded));
}

}  // namespace

std::expected<std::unique_ptr<dsl::Spec>, std::vector<dsl::Problem>> load_spec(
    const std::string& file, const std::vector<std::pair<std::string, std::string>>& set,
    const PrintTarget& print) {
  dsl::LoadOptions options = {.set = set,
                              .check_rule = check_rule,
                              .syscall_families = interceptor::families(),
                              .errno_names = interceptor::errno_names()};
  if (print) options.print = [print](std::string_view line) { (*print)(line); };
  return dsl::Spec::load(file, options);
}

namespace {

/// A misspelt --set changes nothing, and its test would say so about something else.
void note_unread_settings(const RunRequest& request, LoadedRun& run) {
  std::set<std::string> known;
  for (const LoadedSpec& loaded : run.specs) {
    const auto names = loaded.spec->settings();
    if (!names) return;
    known.insert(names->begin(), names->end());
  }
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  for (const auto& [name, value] : request.set) {
    if (known.contains(name)) continue;
    run.notes.push_back(fmt::format("--set {}: no spec reads env(\"{}\"){}", name, name,
                                    did_you_mean(name, candidates)));
  }
}

}  // namespace

LoadedRun load_run(const RunRequest& request) {
  LoadedRun run;
  for (const std::string& file : request.files) {
    const auto print = std::make_shared<PrintTarget::element_type>(print_to_standard_error);
    auto spec = load_spec(file, request.set, print);
    if (spec) {
      take_up({.file = file, .spec = *std::move(spec), .print = print}, request, run);
      continue;
    }
    for (dsl::Problem& problem : spec.error()) {
      run.problems.push_back({.file = file,
                              .finding = std::move(problem.finding),
                              .rendered = std::move(problem.rendered)});
    }
  }
  if (run.problems.empty()) note_unread_settings(request, run);
  for (SpecProblem& problem : run.problems) bound_problem(problem);
  const bool nothing_selected = run.tests.empty() && run.problems.empty() && run.obstacles.empty();
  if (nothing_selected) {
    run.problems.push_back(problem_of(
        request.files.empty() ? "misrule" : request.files.front(),
        {.code = Code::kInvalid,
         .what = request.test_glob == "*"
                     ? "there is no test: a test is a function whose name starts with test_"
                     : fmt::format("no test is called {}", request.test_glob)}));
  }
  return run;
}

}  // namespace misrule::controller
