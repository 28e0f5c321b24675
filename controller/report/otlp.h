#pragma once

// A run as traces in OpenTelemetry's JSON encoding (OTLP/JSON): what a collector takes at
// /v1/traces. One trace per test.

#include <ostream>
#include <string_view>

#include "controller/run/run.h"

namespace misrule::controller {

void write_otlp(const RunResult& result, std::string_view version, std::ostream& out);

}  // namespace misrule::controller
