#pragma once

// What a terminal or a CI log shows of a run: a header, while tests run a live line and the matrix
// that it is about (on a terminal), a line or a block per test, and the closing lines.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "controller/run/run.h"

namespace misrule::controller {

struct ReportOptions {
  std::function<void(std::string_view)> write = {};  ///< Where text goes, at once.
  std::function<void(std::string_view)> print = {};  ///< Where a spec's print() goes; lines.
  const Clock& clock;
  bool color = false;
  bool live = false;          ///< Lines that are redrawn; only for terminals.
  std::size_t columns = 100;  ///< Of the terminal, or of what a log's readers have.
  std::size_t rows = 24;      ///< Of the terminal.
  bool verbose = false;
  std::string program = "misrule";  ///< As the user typed it, for the "again" line.
  std::string version = {};
};

class RunReport : public RunObserver {
 public:
  /// The closing lines.
  virtual void finished(const RunResult& result) = 0;
};

/// `request` outlives the report.
std::unique_ptr<RunReport> make_run_report(const RunRequest& request, ReportOptions options);

}  // namespace misrule::controller
