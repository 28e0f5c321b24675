#pragma once

// A link fault in one line, for events and reports.

#include <string>

namespace misrule::model {

class LinkFault;

/// "link(latency=100ms, bandwidth=1000 B/s)".
std::string link_text(const LinkFault& fault);

}  // namespace misrule::model
