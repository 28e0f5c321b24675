#pragma once

// The test's own clients: HTTP and PostgreSQL, over plain sockets to a given address.

#include <string>

#include "base/result.h"
#include "spec/dsl/host.h"

namespace misrule::controller {

/// Where and as whom a step goes.
struct StepTarget {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string authority =
      {};                 ///< "localhost:8080", the address that people know; empty: host:port.
  bool proxied = false;   ///< A proxy of ours listens there; else OwnConnections knows.
  std::string user = {};  ///< PostgreSQL: from the service's env.
  std::string password = {};
  std::string database = {};
};

/// Blocking, bounded by call.timeout; thread-safe. Never fails: see dsl::StepReply. Emits no
/// events. `interrupt_fd` becomes readable when the step must end at once (-1: none).
dsl::StepReply run_step(const dsl::StepCall& call, const StepTarget& target, int interrupt_fd);

/// One readiness try, bounded by `timeout`: ok if the server answers at protocol level (SELECT 1
/// with the credentials; PING; a 2xx on GET `path`; an accepted connection for other protocols).
Status probe_postgres(const StepTarget& target, Duration timeout);
Status probe_http(const StepTarget& target, const std::string& path, Duration timeout);
Status probe_redis(const StepTarget& target, Duration timeout);
Status probe_tcp(const StepTarget& target, Duration timeout);

}  // namespace misrule::controller
