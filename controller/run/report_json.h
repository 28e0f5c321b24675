#pragma once

// A test's report as one line of JSON: how a worker tells it to the coordinator.

#include <string>
#include <string_view>

#include "base/result.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

std::string report_to_line(const model::TestReport& report);
Result<model::TestReport> report_from_line(std::string_view line);

}  // namespace misrule::controller
