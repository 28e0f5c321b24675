#pragma once

// A matrix as people look at it: scenarios below each other, faults side by side.

#include <string>
#include <vector>

#include "controller/report/text.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

/// One table per matrix of the run; empty if there is none. A cell that was excluded or not
/// selected is a dot.
std::string matrix_tables(const std::vector<model::TestReport>& reports, std::size_t columns,
                          const Paint& paint);

}  // namespace misrule::controller
