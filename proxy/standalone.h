#pragma once

// One proxy as a program of its own: what `misrule proxy` does, and what benchmarks drive.

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

struct StandaloneOptions {
  Listener listener = {};  ///< Its service and interface are what the rules' targets name.
  /// Called at the start and on every SIGHUP. A rule without a target is for the listener.
  std::function<Status(model::RuleSet&)> load_rules = {};
  std::uint64_t seed = 1;
  unsigned loops = 1;
  bool record_all = false;  ///< An event per unit instead of only those acted on.
  int events_fd = 1;        ///< JSON lines.
  Duration drain = std::chrono::seconds(5);
};

/// Until SIGTERM or SIGINT; answers the exit code. SIGHUP loads the rules again (on an error the
/// old ones stay, and a line says so), SIGUSR1 writes the counters and tallies. The first line says
/// where it listens, the last ones are the tallies and counters.
Result<int> run_standalone(const StandaloneOptions& options);

}  // namespace misrule::proxy
