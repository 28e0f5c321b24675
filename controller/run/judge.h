#pragma once

// From what happened in a test to its verdict. Knows no process and no clock.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "spec/dsl/spec.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

/// A service that ended although the test had not.
struct ServiceExit {
  std::string service = {};
  std::string how = {};           ///< "exited with status 1", "was killed by signal 11"
  std::string explained_by = {};  ///< A rule's id; empty: nothing explains it.
  std::vector<std::string> last_lines = {};
};

/// Why a body was stopped from outside.
enum class Stop : std::uint8_t { kNone, kDeadline, kInterrupt };

struct TestCourse {
  Status infrastructure =
      {};  ///< The first failure of ours: a service never ready, an unwritable log.
  std::optional<dsl::BodyResult> body = {};  ///< Nothing: it never ran.
  Stop stop = Stop::kNone;
  std::string pending = {};     ///< What the test was waiting for when it was stopped.
  bool awaiting_event = false;  ///< It was a liveness assertion.
  Duration deadline = {};
  std::vector<ServiceExit> exits = {};
  std::vector<model::RuleReport> rules = {};
  bool is_cell = false;    ///< Of a matrix: a cross product has cells that their fault cannot meet.
  bool has_oracle = true;  ///< Somebody looks at what came out.
};

struct Judgement {
  model::Outcome outcome = model::Outcome::kPassed;
  std::vector<model::Finding> findings = {};
};

Judgement judge(const TestCourse& course);

/// A first line for the verdict, the rest (a service's last output) below it.
model::Finding finding_of_text(std::string text);

}  // namespace misrule::controller
