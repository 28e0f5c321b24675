#pragma once

// The matrices of a run: which cell stands where, and how it came out.

#include <optional>
#include <string>
#include <vector>

#include "spec/model/verdict.h"

namespace misrule::controller {

/// A cell, also while its matrix is run.
struct LiveCell {
  model::CellPlace place = {};
  std::optional<model::Outcome> outcome = {};  ///< Nothing yet: it waits, or runs.
  bool running = false;
};

class MatrixCells {
 public:
  MatrixCells() = default;
  explicit MatrixCells(const std::vector<LiveCell>& cells);
  void add(LiveCell cell);

  /// In the order in which they were run.
  const std::vector<std::string>& scenarios() const { return scenarios_; }
  const std::vector<std::string>& faults() const { return faults_; }
  /// nullptr: excluded, not selected, or not begun.
  const LiveCell* find(const std::string& scenario, const std::string& fault) const;

 private:
  std::vector<LiveCell> cells_ = {};
  std::vector<std::string> scenarios_ = {};
  std::vector<std::string> faults_ = {};
};

std::vector<MatrixCells> matrices_of(const std::vector<model::TestReport>& reports);

}  // namespace misrule::controller
