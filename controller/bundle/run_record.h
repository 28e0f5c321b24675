#pragma once

// What can be compared of two runs: verdicts, and of each test what happened, whatever the order
// in which it happened and how long it took.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "controller/bundle/archive.h"
#include "spec/model/event.h"

namespace misrule::controller {

struct TestRecord {
  std::string file = {};
  std::string name = {};
  std::string verdict = {};
  std::string reason = {};  ///< The first finding's message; empty if there is none.
  std::function<std::vector<model::Event>()> events = {};
};

struct RunRecord {
  std::string name = {};  ///< As it was asked for.
  std::vector<TestRecord> tests = {};
};

/// From a run's JSON (docs/run.schema.json); `log_of` gives a test's event log, by its index and
/// by the path that the JSON has.
Result<RunRecord> record_of_json(
    std::string_view run_json,
    const std::function<std::string(std::size_t, const std::string&)>& log_of);

/// Of a bundle, unpacked.
Result<RunRecord> record_of_bundle(const ArchiveFiles& files);

/// A bundle, a folder of .misrule/runs (or its name, or "latest"), or a file that --json wrote.
Result<RunRecord> read_run(const std::string& path);

/// What one event was, without what differs from run to run: times, numbers, connections,
/// processes, bodies. Empty: not compared at all (output, what PostgreSQL logs).
std::string essence_of(const model::Event& event);
/// The same of what a rule did; empty for every other event.
std::string decision_of(const model::Event& event);

struct RunDifference {
  std::vector<std::string> lines = {};  ///< For people; empty: nothing differs.
  std::size_t tests = 0;                ///< Compared.
  std::size_t essences = 0;             ///< Events, or decisions, of the first.
};

/// Verdicts and events.
RunDifference diff_runs(const RunRecord& left, const RunRecord& right);
/// Verdicts and decisions: did the second repeat the first? Of the first decision that only one of
/// them has, what the same rule did in its place in the other.
RunDifference diff_decisions(const RunRecord& first, const RunRecord& again);

}  // namespace misrule::controller
