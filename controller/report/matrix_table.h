#pragma once

// A matrix as people look at it: scenarios below each other, faults side by side.

#include <string>
#include <vector>

#include "controller/report/matrix_cells.h"
#include "controller/report/text.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

/// One table per matrix of the run; empty if there is none. A cell that was excluded or not
/// selected is a dot. Where not even marks have room, a table goes on below itself.
std::string matrix_tables(const std::vector<model::TestReport>& reports, std::size_t columns,
                          const Paint& paint);

/// The lines of one matrix as it stands, at most `rows` of them: what is around the cell that runs.
std::vector<std::string> live_matrix(const std::vector<LiveCell>& cells, std::size_t columns,
                                     std::size_t rows, const Paint& paint);

}  // namespace misrule::controller
