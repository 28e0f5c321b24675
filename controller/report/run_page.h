#pragma once

// A run as one HTML file for people: verdicts, and of each test its events on lanes, the lines of
// the spec that are to blame, and what services printed. It needs no network and no other file.

#include <functional>
#include <string>
#include <string_view>

#include "controller/run/run.h"

namespace misrule::controller {

/// `run_json` is what run_to_json() gives for the same run. Event logs, output of services and
/// specs are read from where the run has them; what cannot be read is missing, and the page says
/// so. `filter` sees all text of the run before it is packed.
using PageFilter = std::function<std::string(std::string)>;
std::string run_page(const RunResult& result, std::string_view run_json,
                     const PageFilter& filter = {});

/// Text as it stands between tags and in quoted attributes: UTF-8 without anything that HTML reads.
std::string html_text(std::string_view text);

}  // namespace misrule::controller
