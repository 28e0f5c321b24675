#pragma once

// Which files is a spec made of, and which a service of it? Of specs as their syntax trees say, not
// their text: a load() in a string or a comment is none. `--watch` and bundles both ask here.

#include <string>
#include <vector>

#include "controller/run/run.h"
#include "spec/model/topology.h"

namespace misrule::controller {

struct ServicePlan;

/// The spec and what it loads, however deep, each once and as the loader names them; also of a file
/// that is wrong, and files that are not there. Recipes of ours ("@misrule/...") are none.
std::vector<std::string> files_of_spec(const std::string& file);

/// Of a service as it runs: its program and its statements, there or still to be made; the words of
/// its command, and of what sets it up, that are files; what its interfaces need for TLS.
ProgramFiles files_of_service(const model::Service& service, const std::string& spec_folder,
                              const std::vector<std::string>& setup = {});

/// The same of services that are planned.
std::vector<ProgramFiles> program_files(const std::vector<ServicePlan>& plans);

}  // namespace misrule::controller
