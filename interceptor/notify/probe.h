#pragma once

// What this kernel lets the interceptor do, tried for real.

#include "base/result.h"

namespace misrule::interceptor {

struct NotificationSupport {
  bool wait_killable = false;
  bool sync_wake_up = false;
};

/// Installs a filter on a thread of its own and serves one call of it. kUnsupported: no
/// interception on this machine, with the reason.
Result<NotificationSupport> probe_notification();

}  // namespace misrule::interceptor
