#pragma once

// A spec that has been loaded: what the system is, which tests there are, what can be known of them
// before anything starts. Loading finds every error that can be found without running a test.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "spec/dsl/host.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"
#include "spec/model/verdict.h"

namespace misrule::dsl {

struct LoadOptions {
  std::vector<std::pair<std::string, std::string>> set = {};  ///< What env("NAME") looks at first.
  /// Is the rule legal on its target (proxy and interceptor know)? May fill in defaults. A
  /// parameter, because spec/ knows neither of them.
  std::function<Status(const model::Topology&, model::Rule&)> check_rule = {};
  std::vector<std::string> syscall_families = {};
  std::vector<std::string> errno_names = {};
  /// Lines that the spec print()s, without their end. Empty: standard error.
  std::function<void(std::string_view)> print = {};
};

/// One error or note about a spec, with its rendering: source line, caret, hints.
struct Problem {
  model::Finding finding = {};
  std::string rendered = {};
};

/// Where a test stands in a fault_matrix().
struct Cell {
  std::size_t matrix = 0;  ///< Of its spec, in the order of the text.
  std::string scenario = {};
  std::string fault = {};
};

struct Test {
  std::string name = {};
  std::string description = {};  ///< Docstring, or description=.
  model::SourcePosition position = {};
  std::vector<model::Rule> declared = {};  ///< Known exactly at load.
  std::vector<model::Rule> dynamic = {};   ///< Templates of what the body will make.
  std::string control = {};  ///< What must hold before it, as run_control() wants it; empty: none.
  std::optional<Cell> cell = {};
  bool has_oracle = true;  ///< Somebody looks at what came out.
};

/// How a test's body ended.
struct BodyResult {
  bool completed = false;       ///< Without raising.
  bool cancelled = false;       ///< cancel() ended it.
  bool infrastructure = false;  ///< The host failed (a service did not come back).
  bool undecided = false;       ///< An assertion could not be decided: inconclusive, not failed.
  std::optional<model::Finding> finding = {};  ///< Why not completed.
  std::vector<model::Finding> violations =
      {};                                 ///< What monitors found, or what is wrong with them.
  std::vector<model::Finding> open = {};  ///< What monitors could not decide.
};

class Spec {
 public:
  virtual ~Spec() = default;

  /// Single-threaded, so that the process can fork afterwards.
  static std::expected<std::unique_ptr<Spec>, std::vector<Problem>> load(
      const std::string& path, const LoadOptions& options);

  virtual const std::string& path() const = 0;
  virtual const model::Topology& topology() const = 0;
  virtual const std::vector<Test>& tests() const = 0;
  virtual const std::vector<Problem>& notes() const = 0;  ///< Lint.
  /// The line as it was loaded, whatever the file says by now; empty if it is none of the spec's.
  virtual std::string source_line(const model::SourcePosition& at) const = 0;
  /// Families of system calls that rules or filters of this file may need, by service name: an
  /// over-approximation from the resolved syntax trees. connect is always meant.
  virtual std::set<std::string> families_of(const std::string& service) const = 0;

  /// What is wrong with a declared service, shown at that keyword of its declaration.
  virtual Problem problem_of_service(const std::string& /*service*/, std::string_view /*keyword*/,
                                     const std::string& message) const {
    return {.finding = {.message = message}, .rendered = message};
  }
  /// Names that env() asks for; nothing if only the run knows them all.
  virtual std::optional<std::set<std::string>> settings() const { return std::nullopt; }

  /// The following are called in a worker, after the fork.
  virtual Status run_seed(std::size_t callable, TestHost& host) = 0;
  /// Of the host it only makes steps; the function has no part in the test.
  virtual Status run_reset(std::size_t callable, TestHost& host) = 0;
  /// What the function returns, as JSON. An error: it ends here, and its failure is the test's.
  virtual Result<std::string> run_poll(std::size_t callable, TestHost& host) = 0;
  virtual std::vector<model::Finding> take_poll_failures() = 0;
  virtual BodyResult run_test(const std::string& name, TestHost& host) = 0;
  /// A scenario without faults, as Test::control names it.
  virtual BodyResult run_control(const std::string& name, TestHost& host) = 0;
  /// Ends what run_test or run_seed is doing; from any thread.
  virtual void cancel(const std::string& reason) = 0;
  /// Notes that arose while running ("assert_never looked at types: ...").
  virtual std::vector<std::string> take_notes() = 0;
};

}  // namespace misrule::dsl
