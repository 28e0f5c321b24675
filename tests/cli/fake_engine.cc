#include "tests/cli/fake_engine.h"

#include "controller/compile/rules_file.h"
#include "controller/run/watch_list.h"
#include "interceptor/interceptor.h"

namespace misrule {

namespace cli {

FakeEngine& fake_engine() {
  static FakeEngine engine;
  return engine;
}

}  // namespace cli

namespace {

Status planned_error() {
  const cli::FakeEngine& engine = cli::fake_engine();
  if (engine.error.empty()) return {};
  return fail(engine.code, engine.error);
}

controller::RunResult result_of(const controller::RunRequest& request) {
  controller::RunResult result = {.exit_code = cli::fake_engine().exit_code};
  result.plan.seed = request.seed;
  result.plan.run_id = "7";
  result.plan.tests = {
      {.file = "shop.star", .name = "test_a", .description = "It holds.", .line = 3}};
  result.reports = {{.test = "test_a", .spec = "shop.star", .outcome = model::Outcome::kPassed}};
  return result;
}

}  // namespace

namespace controller {

Result<RunResult> run_specs(const RunRequest& request, RunObserver& observer) {
  cli::fake_engine().request = request;
  ++cli::fake_engine().runs;
  MISRULE_TRY_VOID(planned_error());
  RunResult result = result_of(request);
  observer.planned(result.plan);
  observer.test_finished(result.plan.tests[0], result.reports[0], {});
  return result;
}

Result<RunResult> check_specs(const RunRequest& request, RunObserver& observer) {
  cli::fake_engine().request = request;
  ++cli::fake_engine().checks;
  MISRULE_TRY_VOID(planned_error());
  RunResult result = result_of(request);
  observer.planned(result.plan);
  return result;
}

Result<std::string> compile_rules(const std::string& file,
                                  const std::vector<std::pair<std::string, std::string>>& set) {
  MISRULE_TRY_VOID(planned_error());
  std::string text = "spec: " + file + "\n";
  for (const auto& [name, value] : set) text += "set: " + name + " " + value + "\n";
  return text;
}

Result<int> enter_run(const std::string& run_id, const std::vector<std::string>& command) {
  MISRULE_TRY_VOID(planned_error());
  cli::fake_engine().entered = run_id;
  cli::fake_engine().command = command;
  return 5;
}

Status end_run(const std::string& run_id) {
  cli::fake_engine().ended = run_id;
  return planned_error();
}

std::vector<WatchedSpec> watched_specs(const RunRequest& /*request*/) { return {}; }

std::vector<ServerFound> find_servers() {
  return {{.image = "postgres", .server = "PostgreSQL 15.20"},
          {.image = "redis", .missing = "apt install redis-server; redis:* images cannot run"}};
}

}  // namespace controller

namespace interceptor {

std::vector<Probe> probe_kernel() {
  return {{.name = "user notification", .available = true, .detail = "yes"},
          {.name = "pidfd_getfd", .detail = "ENOSYS", .cost = "connect redirection"}};
}

}  // namespace interceptor

namespace proxy {

Result<int> run_standalone(const StandaloneArguments& arguments) {
  cli::fake_engine().proxied = arguments;
  MISRULE_TRY_VOID(planned_error());
  return 0;
}

}  // namespace proxy

}  // namespace misrule
