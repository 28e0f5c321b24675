#pragma once

// How much may a test or a spec say in a report? What is longer is cut in its middle: the beginning
// and the end of a message tell more.

#include <cstddef>
#include <string>
#include <string_view>

#include "controller/run/run.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

inline constexpr std::size_t kReportTextMax = std::size_t{8} * 1024;  ///< Bytes of one text.
inline constexpr std::size_t kReportLinesMax = 200;                   ///< Of one list.

/// At most `bytes` of it and a word on what was left out.
std::string cut_in_the_middle(std::string_view text, std::size_t bytes);

void bound_report(model::TestReport& report);
void bound_problem(SpecProblem& problem);

}  // namespace misrule::controller
