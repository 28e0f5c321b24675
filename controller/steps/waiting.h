#pragma once

// Until when does a step wait, and who may end it before?

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace misrule::controller {

struct StepTarget;

/// The bounds of one step.
struct Patience {
  Duration at_most = {};  ///< For the text of a timeout.
  TimePoint deadline = {};
  int interrupt_fd = -1;

  static Patience start(Duration at_most, int interrupt_fd);
};

/// Waits until `fd` is ready for `poll_events` (POLLIN, POLLOUT). kTimeout and kCancelled in words
/// for people.
Status wait_ready(int fd, short poll_events, const Patience& patience);

/// A connected, non-blocking socket. kRefused if nobody listens.
Result<UniqueFd> connect_tcp(const StepTarget& target, const Patience& patience);

}  // namespace misrule::controller
