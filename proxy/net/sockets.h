#pragma once

// Addresses and the socket calls outside the byte path: listening, connecting upstream.

#include "base/result.h"
#include "base/unique_fd.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

/// Non-blocking. `shared`: several loops listen on one port. `mode` is a Unix socket's, less umask.
Result<UniqueFd> listen_on(const Endpoint& endpoint, bool shared, mode_t mode = 0777);
/// Where a listening socket is, once port 0 has become one.
Endpoint bound_to(const UniqueFd& fd);
Endpoint local_end_of(int fd);

/// To the listener's upstream: non-blocking, and perhaps still connecting. Fails with the errno in
/// `error_number` where the answer was there at once.
Result<UniqueFd> begin_connect(const Listener& listener, int* error_number);
/// Waits for the answer for at most `limit_ms`.
Status finish_connect(const UniqueFd& fd, int limit_ms, int* error_number);

/// Small messages leave at once.
void set_no_delay(int fd);

}  // namespace misrule::proxy
