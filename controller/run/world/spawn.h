#pragma once

// Forking a process as the worker ordered it. In PID 1, which is single-threaded.

#include "base/result.h"
#include "controller/run/world/order.h"
#include "controller/run/world/packet.h"

namespace misrule::controller {

/// The pid, or why fork failed. What goes wrong after the fork is written to the new process's
/// standard error, and it exits with 127.
Result<pid_t> spawn_process(const SpawnOrder& order, const std::vector<UniqueFd>& fds);

/// Lets go of the terminal or pipe that the run was started with: whoever reads it waits for its
/// end.
void detach_output();

/// Signals as a fresh process has them: nothing blocked, nothing ignored.
void reset_signals();

}  // namespace misrule::controller
