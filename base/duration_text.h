#pragma once

// A duration as specs write it: "3s", "250ms", "10us".

#include <string>

#include "base/clock.h"

namespace misrule {

/// In the largest unit of s, ms and us that says it exactly; parts of a microsecond are cut.
std::string duration_text(Duration duration);

}  // namespace misrule
