#pragma once

// Running specs: what the command line asks for, and what it is told while and after.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "spec/model/event.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

struct RunRequest {
  std::vector<std::string> files = {};  ///< Spec files, as given.
  std::string test_glob = "*";
  std::uint64_t seed = 1;
  Duration timeout = std::chrono::seconds(120);  ///< Per test.
  bool strict = false;
  std::string backend = "auto";  ///< "native", "docker", "auto".
  bool host_network = false;
  std::string rules_file = {};  ///< Declared rules to arm beside the spec's own; empty: none.
  bool keep = false;            ///< The last world stays, for `misrule enter`.
  bool trace = false;           ///< HTTP steps hand on a trace context.
  bool all_stories = false;     ///< Reports of passed tests tell what happened, too.
  std::vector<std::pair<std::string, std::string>> set = {};  ///< --set NAME=VALUE
};

/// What a run consists of, known once its specs are loaded.
struct RunPlan {
  std::string run_id = {};
  std::string folder = {};  ///< .misrule/runs/ID, absolute.
  std::uint64_t seed = 1;
  struct Test {
    std::string file = {};
    std::string name = {};
    std::string description = {};
    unsigned line = 0;
    std::string control = {};  ///< Of its spec: what must hold before it; empty: nothing.
    model::CellPlace cell = {};
  };
  std::vector<Test> tests = {};             ///< Those selected.
  std::vector<std::string> stand_ins = {};  ///< "postgres:16 -> local PostgreSQL 15.20"
  std::vector<std::string> notes = {};      ///< Lint, what a missing privilege costs.
};

/// A spec that cannot run: every static error with its rendering for people.
struct SpecProblem {
  std::string file = {};
  model::Finding finding = {};
  std::string rendered = {};  ///< Source line, caret and hints; plain text of several lines.
};

/// Told what happens, on the coordinator's thread, in order.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void spec_rejected(const SpecProblem& problem) = 0;
  virtual void planned(const RunPlan& plan) = 0;
  virtual void test_started(const RunPlan::Test& test) = 0;
  /// What the test is doing now: "starting postgres", "POST /payments -> api". For the live view.
  virtual void test_progress(const RunPlan::Test& test, std::string_view phase,
                             std::uint64_t events) = 0;
  /// A line that the running test print()s, without its end; it may hold any bytes.
  virtual void spec_printed(std::string_view line) = 0;
  /// `story`: the events of report.story, in the order in which people read them.
  virtual void test_finished(const RunPlan::Test& test, const model::TestReport& report,
                             const std::vector<model::Event>& story) = 0;
  /// What other tests said has changed the verdict of one that is finished.
  virtual void test_revised(const RunPlan::Test& /*test*/, const model::TestReport& /*report*/) {}
};

/// Files that a service of a spec is made of, as far as the spec and its command name them.
struct ProgramFiles {
  std::string service = {};
  std::vector<std::string> files = {};    ///< Its program first; absolute.
  std::vector<std::string> folders = {};  ///< What it is built from, where it runs; absolute.
  std::vector<std::string> keys = {};     ///< Private ones, of TLS; absolute. No bundle takes them.
  std::string note = {};                  ///< What stands in for its image.
};

struct RunResult {
  int exit_code = 0;
  RunPlan plan = {};
  std::vector<model::TestReport> reports = {};
  std::vector<std::string> spec_files =
      {};  ///< Specs and what they load, as the loader names them.
  std::vector<ProgramFiles> programs = {};
  std::vector<SpecProblem> problems = {};
  Duration took = {};
  std::string kept = {};      ///< The run whose last world stays, as `misrule enter` wants it.
  std::string not_kept = {};  ///< Why it does not although that was asked for.
};

/// Loads, runs and judges. Call it before the process has any second thread. SIGINT, SIGTERM and
/// SIGHUP end the run within two seconds (exit code 130). Errors of single specs and tests are in
/// the result; an Error is what kept the whole run from happening (infrastructure, exit code 3).
Result<RunResult> run_specs(const RunRequest& request, RunObserver& observer);

/// Loads only: the plan of `--list` and `check`, without starting anything.
Result<RunResult> check_specs(const RunRequest& request, RunObserver& observer);

/// `misrule compile FILE`: the rules of every test as YAML with source lines.
Result<std::string> compile_rules(const std::string& file,
                                  const std::vector<std::pair<std::string, std::string>>& set);

/// `misrule enter RUN [COMMAND...]`: a shell in a kept world; its exit code. `misrule end RUN`.
Result<int> enter_run(const std::string& run_id, const std::vector<std::string>& command);
Status end_run(const std::string& run_id);

/// A server that can stand in for an image, as `misrule doctor` shows it.
struct ServerFound {
  std::string image = {};  ///< "postgres"
  std::string server =
      {};  ///< "PostgreSQL 15.20 (/usr/lib/postgresql/15/bin)"; empty if not found.
  std::string missing = {};  ///< What to install, and what it costs not to have it.
};
std::vector<ServerFound> find_servers();

}  // namespace misrule::controller
