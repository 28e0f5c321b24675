#pragma once

// A matrix as people look at it: scenarios below each other, faults side by side.

#include <optional>
#include <string>
#include <vector>

#include "controller/report/text.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

/// One table per matrix of the run; empty if there is none. A cell that was excluded or not
/// selected is a dot. Where not even marks have room, a table goes on below itself.
std::string matrix_tables(const std::vector<model::TestReport>& reports, std::size_t columns,
                          const Paint& paint);

/// A cell while its matrix is run.
struct LiveCell {
  model::CellPlace place = {};
  std::optional<model::Outcome> outcome = {};  ///< Nothing yet: it waits, or runs.
  bool running = false;
};

/// The lines of one matrix as it stands, at most `rows` of them: what is around the cell that runs.
std::vector<std::string> live_matrix(const std::vector<LiveCell>& cells, std::size_t columns,
                                     std::size_t rows, const Paint& paint);

}  // namespace misrule::controller
