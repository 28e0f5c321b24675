#pragma once

// A run for machines: JSON with the schema misrule.run/1 (docs/run.schema.json). Fields are added
// to a schema, never changed or taken away; another meaning is another number.

#include <string>
#include <string_view>

#include "controller/run/run.h"

namespace misrule::controller {

/// One JSON text and a line break.
std::string run_to_json(const RunResult& result, const RunRequest& request,
                        std::string_view version, std::string_view program);

}  // namespace misrule::controller
