#pragma once

// The sample run with event logs, for tests of its page: one of ten thousand events as a busy shop
// has them, and names and texts that are meant to break out of where they stand.

#include <string>

#include "controller/run/run.h"

namespace misrule::controller {

inline constexpr int kSampleEvents = 10'000;
inline constexpr int kCellEvents = 12;  ///< Of test_inconclusive, a cell with a control.
inline constexpr const char* kHostileText =
    "</script><script>document.title='owned'</script><img src=x "
    "onerror=alert(1)>'\"&@DATA@\xff\xc3(";

/// One line of a log of a busy shop, from 1; every hundredth INSERT fails by a rule.
std::string sample_event_line(int number);

/// Writes logs, output and a spec into `folder`, which exists.
RunResult sample_page_result(const std::string& folder);

}  // namespace misrule::controller
