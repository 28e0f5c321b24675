#pragma once

// The matrices of a run: which test stands where.

#include <string>
#include <vector>

#include "spec/model/verdict.h"

namespace misrule::controller {

class MatrixCells {
 public:
  /// `report` outlives this.
  void add(const model::TestReport& report);

  /// In the order in which they were run.
  const std::vector<std::string>& scenarios() const { return scenarios_; }
  const std::vector<std::string>& faults() const { return faults_; }
  /// nullptr: excluded, not selected, or not begun.
  const model::TestReport* find(const std::string& scenario, const std::string& fault) const;

 private:
  std::vector<const model::TestReport*> cells_ = {};
  std::vector<std::string> scenarios_ = {};
  std::vector<std::string> faults_ = {};
};

/// `reports` outlive what is given.
std::vector<MatrixCells> matrices_of(const std::vector<model::TestReport>& reports);

}  // namespace misrule::controller
