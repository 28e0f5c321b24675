#include "controller/run/run.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "controller/compile/rules_file.h"
#include "controller/events/utf8.h"
#include "controller/launch/native/stand_in.h"
#include "controller/run/coordinator.h"
#include "controller/run/file_rules.h"
#include "controller/run/loaded_files.h"
#include "controller/run/loading.h"
#include "controller/run/privileges.h"
#include "controller/run/report_json.h"
#include "controller/run/run_folder.h"
#include "controller/run/shim_path.h"
#include "controller/run/world/journal.h"
#include "proxy/proxy.h"

namespace misrule::controller {
namespace {

constexpr int kPassed = 0;
constexpr int kFailed = 1;
constexpr int kSpecWrong = 2;
constexpr int kInfrastructure = 3;
constexpr int kInterrupted = 130;

/// The weightier of two exit codes.
int worse_of(int a, int b) {
  constexpr std::array<int, 5> kOrder = {kPassed, kFailed, kInfrastructure, kSpecWrong,
                                         kInterrupted};
  const auto weight = [&kOrder](int code) {
    return std::ranges::find(kOrder, code) - kOrder.begin();
  };
  return weight(a) >= weight(b) ? a : b;
}

Result<model::RuleFile> read_rules(const std::string& path, const LoadedRun& loaded) {
  if (path.empty()) return model::RuleFile();
  std::ifstream file(path);
  if (!file) return fail(Code::kInvalid, fmt::format("--rules {}: cannot be read", path));
  std::stringstream text;
  text << file.rdbuf();
  MISRULE_TRY(model::RuleFile rules, rules_from_yaml(text.str(), path));
  // A test that seems not to exist may stand in a spec that could not be loaded.
  if (loaded.problems.empty()) MISRULE_TRY_VOID(check_file_rules(rules, path, loaded.specs));
  return rules;
}

SpecProblem problem_of_rules(const std::string& path, const Error& error) {
  return {.file = path, .finding = {.message = error.what}, .rendered = error.what};
}

RunPlan plan_of(const RunRequest& request, const LoadedRun& loaded) {
  RunPlan plan = {.seed = request.seed, .stand_ins = loaded.stand_ins, .notes = loaded.notes};
  for (const SelectedTest& selected : loaded.tests) plan.tests.push_back(selected.test);
  return plan;
}

/// What a run is of; asked when it begins, for nobody else may know it later.
void add_what_it_is_made_of(const RunRequest& request, const LoadedRun& loaded, RunResult& result) {
  for (const std::string& file : request.files) {
    std::ranges::move(files_of_spec(file), std::back_inserter(result.spec_files));
  }
  for (const LoadedSpec& spec : loaded.specs) {
    std::ranges::move(program_files(spec.plans), std::back_inserter(result.programs));
  }
}

void tell_problems(const LoadedRun& loaded, RunObserver& observer) {
  for (const SpecProblem& problem : loaded.problems) observer.spec_rejected(problem);
  for (const SpecProblem& obstacle : loaded.obstacles) observer.spec_rejected(obstacle);
}

int code_of(const LoadedRun& loaded) {
  int code = loaded.problems.empty() ? kPassed : kSpecWrong;
  if (!loaded.obstacles.empty()) code = worse_of(code, kInfrastructure);
  return code;
}

int code_of(const std::vector<model::TestReport>& reports, bool strict) {
  int code = model::exit_code(reports);
  for (const model::TestReport& report : reports) {
    const bool says_nothing = report.outcome == model::Outcome::kSkipped ||
                              report.outcome == model::Outcome::kNotExercised ||
                              report.outcome == model::Outcome::kNoOracle;
    if (strict && says_nothing) code = worse_of(code, kFailed);
  }
  return code;
}

void write_result(const RunResult& result) {
  std::vector<std::string> tests;
  tests.reserve(result.reports.size());
  for (const model::TestReport& report : result.reports) tests.push_back(report_to_line(report));
  std::ofstream(result.plan.folder + "/result.json") << as_utf8(fmt::format(
      R"({{"schema":"misrule.result/1","run":"{}","exit_code":{},"took_ns":{},"tests":[{}]}})"
      "\n",
      result.plan.run_id, result.exit_code, result.took.count(), fmt::join(tests, ",")));
}

std::string why_not_kept(const RunResult& result) {
  if (result.exit_code == kInterrupted) return "the run was interrupted";
  const model::TestReport& last = result.reports.back();
  return last.test + (last.outcome == model::Outcome::kError
                          ? " ended in an error"
                          : " ended before its services were ready");
}

/// Templates of rules that a body makes are not armed from a file; whoever gave one is told.
void note_templates(const model::RuleFile& rules, RunPlan& plan) {
  int templates = 0;
  for (const model::TestRules& test : rules.tests()) templates += test.dynamic_size();
  if (templates == 0) return;
  plan.notes.push_back(
      fmt::format("{} rule{} of the rules file {} made by a test's body and skipped as templates",
                  templates, templates == 1 ? "" : "s", templates == 1 ? "is" : "are"));
}

Status begin_run(const RunRequest& request, const std::string& directory, RunPlan& plan) {
  MISRULE_TRY_VOID(check_privileges());
  const std::size_t swept = sweep_world_folders();
  sweep_unfinished_caches();
  if (swept > 0) {
    plan.notes.push_back(
        fmt::format("swept what {} killed run{} left", swept, swept == 1 ? "" : "s"));
  }
  plan.run_id = make_run_id();
  MISRULE_TRY(plan.folder, make_run_folder(directory, plan.run_id));
  plan.seed = request.seed;
  return {};
}

/// Who signs the certificates of this run's proxies; empty where none are made.
Result<std::string> make_run_authority(const std::vector<LoadedSpec>& specs,
                                       const std::string& run_folder) {
  const auto wants = [](const LoadedSpec& loaded) {
    return loaded.spec && loaded.spec->topology().needs_authority();
  };
  if (std::ranges::none_of(specs, wants)) return std::string();
  std::string folder = run_folder + "/tls";
  std::error_code problem;
  std::filesystem::create_directory(folder, problem);
  std::filesystem::permissions(folder, std::filesystem::perms(0711), problem);
  MISRULE_TRY(const std::string certificate, proxy::make_authority(folder));
  static_cast<void>(certificate);
  return folder;
}

}  // namespace

Result<RunResult> run_specs(const RunRequest& request, RunObserver& observer) {
  const TimePoint start = SteadyClock().now();
  LoadedRun loaded = load_run(request);
  Result<model::RuleFile> rules = read_rules(request.rules_file, loaded);
  if (!rules) loaded.problems.push_back(problem_of_rules(request.rules_file, rules.error()));
  tell_problems(loaded, observer);
  RunResult result = {
      .exit_code = code_of(loaded), .plan = plan_of(request, loaded), .problems = loaded.problems};
  std::ranges::move(loaded.obstacles, std::back_inserter(result.problems));
  add_what_it_is_made_of(request, loaded, result);
  if (loaded.tests.empty() || !rules) return result;
  note_templates(*rules, result.plan);
  MISRULE_TRY(std::string directory, working_directory());
  MISRULE_TRY_VOID(begin_run(request, directory, result.plan));
  MISRULE_TRY(SharedLog shared_log, SharedLog::create());
  MISRULE_TRY(std::string shim, find_shim());
  MISRULE_TRY(std::string authority, make_run_authority(loaded.specs, result.plan.folder));
  const RunContext context = {.request = request,
                              .specs = std::move(loaded.specs),
                              .rules = *std::move(rules),
                              .shared_log = std::move(shared_log),
                              .directory = std::move(directory),
                              .shim_path = std::move(shim),
                              .authority_folder = std::move(authority)};
  observer.planned(result.plan);
  Coordinator coordinator(context, result.plan, observer);
  result.reports = coordinator.run(loaded.tests);
  result.exit_code = worse_of(result.exit_code, code_of(result.reports, request.strict));
  if (coordinator.spec_is_wrong()) result.exit_code = worse_of(result.exit_code, kSpecWrong);
  if (coordinator.interrupted()) result.exit_code = kInterrupted;
  result.kept = coordinator.kept();
  if (request.keep && result.kept.empty()) result.not_kept = why_not_kept(result);
  result.took = SteadyClock().now() - start;
  write_result(result);
  hand_to_owner(context.directory);
  return result;
}

Result<RunResult> check_specs(const RunRequest& request, RunObserver& observer) {
  LoadedRun loaded = load_run(request);
  tell_problems(loaded, observer);
  RunResult result = {
      .exit_code = code_of(loaded), .plan = plan_of(request, loaded), .problems = loaded.problems};
  std::ranges::move(loaded.obstacles, std::back_inserter(result.problems));
  if (!loaded.tests.empty()) observer.planned(result.plan);
  return result;
}

Result<std::string> compile_rules(const std::string& file,
                                  const std::vector<std::pair<std::string, std::string>>& set) {
  auto spec = load_spec(file, set);
  if (spec) return rules_to_yaml(rules_of(**spec));
  std::string rendered;
  for (const dsl::Problem& problem : spec.error()) rendered += problem.rendered;
  return fail(Code::kInvalid, rendered);
}

std::vector<ServerFound> find_servers() {
  std::vector<ServerFound> found;
  for (const native::StandIn* stand_in : native::all_stand_ins()) {
    ServerFound server = {.image = std::string(stand_in->image())};
    auto version = stand_in->find_server();
    if (version) {
      server.server = *std::move(version);
    } else {
      server.missing = version.error().what;
    }
    found.push_back(std::move(server));
  }
  return found;
}

}  // namespace misrule::controller
