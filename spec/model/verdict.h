#pragma once

// How a test ended, and why.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "spec/model/tally.h"
#include "spec/model/topology.h"

namespace misrule::model {

enum class Outcome : std::uint8_t {
  kPassed,
  kFailed,        ///< An assertion, a fault that never fired, an unexplained exit, the deadline.
  kInvalid,       ///< A scenario under faults that does not hold without them.
  kInconclusive,  ///< Undecided: cut short, or not all that happened is known.
  kError,         ///< Infrastructure: a service never ready, a worker lost.
  kSkipped,
  kNotExercised,  ///< A cell of a matrix whose fault never fired: it says nothing.
  kNoOracle,      ///< Nobody looked at what came out.
  kInterrupted,
};

std::string_view outcome_name(Outcome outcome);

/// One reason why a test did not pass; the first is the one that decided.
struct Finding {
  std::string message = {};  ///< "assert_eq: payments charged: expected 1, got 2"
  SourcePosition position = {};
  unsigned column_end = 0;  ///< The span ends before this column; 0 if unknown.
  std::string source_line = {};
  std::string hint = {};                 ///< What to do, where that is known.
  std::vector<std::string> detail = {};  ///< Further lines: last output, near misses, a backtrace.
};

/// A rule of the test with its tally, for reports: "INSERT INTO payments* -> 40001 fired 1x".
struct RuleReport {
  std::string id = {};
  std::string description = {};
  SourcePosition position = {};
  unsigned column_end = 0;       ///< As in a Finding.
  std::string source_line = {};  ///< Likewise; empty if unknown.
  RuleTally tally = {};
  bool may_stay_unfired = false;
  /// Rules of one group are one fault: one of them has to act. Known to the judge alone.
  std::string group = {};
};

/// Where a test stands in a matrix.
struct CellPlace {
  std::string spec = {};
  std::size_t matrix = 0;  ///< Of its spec; 0: the test is no cell.
  std::string scenario = {};
  std::string fault = {};
  std::size_t fault_cells = 0;  ///< Cells that this fault has in the whole matrix.
};

/// The run of a test's scenario without faults: what it was measured against.
struct ControlReport {
  Outcome outcome = Outcome::kError;
  Duration took = {};
  std::string reason = {};  ///< Why it did not pass.
  std::uint64_t events_total = 0;
  std::string event_log = {};
};

/// A file that a test kept with attach().
struct Attachment {
  std::string name = {};  ///< As the test calls it.
  std::string file = {};  ///< Below the folder of the test's event log.
  std::uint64_t size = 0;
};

struct TestReport {
  std::string test = {};
  CellPlace cell = {};
  std::optional<ControlReport> control = {};  ///< Only of a test that has one.
  std::string description = {};               ///< The docstring.
  std::string spec = {};                      ///< Path of the spec file, as given.
  Outcome outcome = Outcome::kError;
  Duration took = {};
  std::vector<Finding> findings = {};
  std::vector<RuleReport> rules = {};
  std::vector<std::string> notes = {};  ///< "postgres recovered in 0.3 s", stand-ins, lint.
  std::vector<Attachment> attachments = {};
  std::uint64_t events_total = 0;
  std::vector<std::uint64_t> story = {};  ///< Numbers of the events that explain a failure.
  std::string event_log = {};             ///< Path of the events file.
  std::int64_t began_unix_ns = 0;         ///< When it began, as the calendar has it.
};

/// Exit code of a whole run; precedence 130, 2, 3, 1, 0.
int exit_code(const std::vector<TestReport>& reports);

}  // namespace misrule::model
