#pragma once

// Verdicts that need more than one world: of a cell its control, of an assumption all its cells.

#include <cstddef>
#include <string>
#include <vector>

#include "controller/run/run.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

/// Of a test that did not run because its scenario does not hold even without faults.
model::TestReport report_without_control(const model::TestReport& control,
                                         const RunPlan::Test& test);

/// What a report says of the control that its test stands on.
model::ControlReport control_report(const model::TestReport& control);

/// "control passed in 120 ms", for the tests that it stands for.
std::string control_note(const model::TestReport& control);

/// Fails the cells of every assumption that has fired in none of them; which they are. Says nothing
/// of an assumption of which only some cells ran.
std::vector<std::size_t> fail_silent_faults(std::vector<model::TestReport>& reports);

}  // namespace misrule::controller
