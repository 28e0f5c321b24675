#pragma once

// PID 1 of a world: forks the worker and, at its request, the services; reaps, reports, and ends
// everything when the worker ends or nobody is left who wants to know.

#include <functional>

#include "base/unique_fd.h"
#include "controller/run/world/order.h"

namespace misrule::controller {

/// What the worker of a world is given.
struct WorkerSeat {
  WorldOrder order;
  UniqueFd init;         ///< SOCK_SEQPACKET to PID 1: InitRequest and InitReport.
  UniqueFd coordinator;  ///< SOCK_STREAM, lines of JSON both ways.
  UniqueFd events;       ///< The event log, open for appending.
};

/// Runs in the worker's process; its result is the worker's exit code.
using WorkerMain = std::function<int(WorkerSeat)>;

struct PidOneSeat {
  WorldOrder order;
  UniqueFd coordinator_stream;
  UniqueFd events;
  UniqueFd folder_lock;
  /// pidfds, opened outside: a pid namespace does not see out.
  UniqueFd coordinator;
  UniqueFd nursery;
};

/// Never returns. Exit status: the worker's own, 128 + n if signal n ended it, 71 if the world
/// could not be made (a line {"setup_failed": …} says why).
[[noreturn]] void run_pid_one(PidOneSeat seat, const WorkerMain& worker);

}  // namespace misrule::controller
