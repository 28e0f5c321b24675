#pragma once

// What a spec has declared so far, and the test that it runs just now: what every builtin works on.
//
// Touched only with the interpreter lock held; cancelling is the exception.

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "spec/dsl/host.h"
#include "spec/dsl/spec.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

struct MonitorScene;

/// The running test (or seed). One at a time.
struct RunState {
  TestHost& host;
  std::string name = {};
  TimePoint began = {};
  std::uint64_t rules_made = 0;
  std::set<std::string> labels = {};                ///< Of the rules made so far.
  std::map<std::string, unsigned> partitions = {};  ///< Made so far, by what they say.
  std::map<std::string, std::uint64_t> draws = {};  ///< By rand(), of each thread.
  std::uint64_t logs = 0;
  bool cut_short = false;  ///< Cancelled while a liveness assertion was waiting.
  /// MonitorValues that this test carries; judged when its body has ended.
  std::vector<star::Value> monitors = {};
  MonitorScene* scene = nullptr;  ///< While a monitor is asked: what it may see.
};

/// The host failed: a service did not come back. No spec can catch it.
class InfrastructureFailed final : public star::Unwind {
 public:
  explicit InfrastructureFailed(std::string reason) : reason_(std::move(reason)) {}
  const std::string& reason() const { return reason_; }

 private:
  std::string reason_;
};

/// An assertion that cannot be decided: its sources did not catch up in time.
class Undecided final : public star::Unwind {
 public:
  explicit Undecided(star::Diagnostic diagnostic) : diagnostic_(std::move(diagnostic)) {}
  const star::Diagnostic& diagnostic() const { return diagnostic_; }

 private:
  star::Diagnostic diagnostic_;
};

/// Ends threads from outside. Thread-safe. Once cancelled, whoever is added is cancelled too.
class ThreadRegistry {
 public:
  void add(star::Thread& thread);
  void remove(star::Thread& thread);
  void cancel_all(const std::string& reason);

 private:
  std::mutex mutex_;
  std::set<star::Thread*> threads_;
  std::optional<std::string> reason_;
};

struct ScenarioDeclared {
  std::string name = {};
  star::Span at = {};
};

/// fault_assumption(...), for what is said about all of them.
struct AssumptionDeclared {
  std::string name = {};
  star::Span at = {};
  std::vector<model::Rule> rules = {};
};

/// A scenario without faults: what its cells are compared with.
struct ControlDeclared {
  std::string name = {};  ///< "control.create_order"; no test can be called so.
  star::Value scenario = {};
  star::Value check = star::Value::unbound();  ///< control=; unbound: what holds for any response.
  std::vector<star::Value> monitors = {};      ///< Of the assumptions that it is compared with.
  star::Span at = {};
};

/// A test that fault_scenario() or a cell of fault_matrix() makes.
struct TestDeclared {
  Test test = {};
  star::Value scenario = {};
  star::Value expect = star::Value::unbound();
  std::vector<star::Value> monitors = {};  ///< Of its assumptions.
  star::Span at = {};
};

/// A function that is called just now and has no part in the test: whom it asks.
struct Apart {
  TestHost* host = nullptr;
  const char* what = "";  ///< "a function that is polled: it asks"
};

struct Session {
  LoadOptions options = {};
  std::string path = {};    ///< Of the spec, as given.
  std::string folder = {};  ///< Its folder, absolute.
  model::Topology topology = {};
  std::vector<star::Span> service_spans = {};  ///< Of the declarations, as topology.services.
  std::vector<star::Span> env_spans = {};      ///< Of env=, likewise.
  /// Of the values of keywords, likewise.
  std::vector<std::map<std::string, star::Span, std::less<>>> keyword_spans = {};
  std::vector<star::Value> seeds = {};   ///< Callables, by Seed::callable.
  std::vector<star::Value> resets = {};  ///< Likewise.
  std::vector<ScenarioDeclared> scenarios = {};
  std::vector<AssumptionDeclared> assumptions = {};
  std::vector<ControlDeclared> controls = {};
  std::vector<TestDeclared> tests = {};
  std::size_t matrices = 0;                  ///< Declared so far.
  std::vector<star::Value> invariants = {};  ///< MonitorValues that every test carries.
  std::vector<star::Diagnostic> notes = {};
  std::vector<std::string> run_notes = {};
  RunState* run = nullptr;              ///< Null while the spec is loaded.
  std::vector<star::Value> polls = {};  ///< By PolledValue::callable.
  std::map<const star::Thread*, Apart> apart = {};
  std::vector<model::Finding> poll_failures = {};
  ThreadRegistry threads = {};

  bool is_family(std::string_view name) const;
  /// Of a keyword's value in the declaration of that service; else of the declaration.
  star::Span span_of(std::size_t service, std::string_view keyword) const;
  /// What env() asks for by a name that stands in the text.
  std::set<std::string> settings = {};
  bool reads_unknown_settings = false;  ///< Some env() has a name that only the run knows.
  const model::Service* find_service(std::string_view name) const {
    return topology.find_service(name);
  }
  /// Which families the filter of a service sees; filled once the file is loaded.
  std::set<std::string> families_for_all = {};
  std::vector<std::pair<std::string, std::string>> families_by_service = {};
  std::set<std::string> families_of(const std::string& service) const;
};

Session& session_of(const star::Args& args);
/// Raises outside of a test, and in a function that is polled.
RunState& run_of(const star::Args& args);
/// For steps, which functions that are polled may do, too.
TestHost& host_of(const star::Args& args);

model::SourcePosition position_of(star::Span at);
/// Where the span ends on its first line: one after its last column.
unsigned column_end_of(star::Span at);
model::Finding finding_of(const star::Diagnostic& diagnostic);
/// A note or an error at a place, without a call.
star::Diagnostic diagnostic_at(star::Severity severity, star::Span at, std::string message,
                               std::string help = {});
/// "a, b, c".
std::string listed(const std::vector<std::string>& names);
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace misrule::dsl
