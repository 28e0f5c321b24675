#pragma once

// The admin API as an HTTP server: one thread of its own, a bounded number of clients.
//
// Nothing that a client does or leaves undone costs the data path more than a snapshot of bounded
// size: requests have limits of size and time, the thread is nicer than the loops' are.

#include <memory>

#include "base/result.h"
#include "proxy/admin/answers.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

struct AdminListen {
  Endpoint at = {};
  bool allow_remote = false;  ///< Other addresses than loopback.
};

class AdminServer {
 public:
  /// Fails if `listen` is not loopback and that is not allowed, or the address is taken. A Unix
  /// socket is its owner's alone.
  static Result<std::unique_ptr<AdminServer>> start(const AdminListen& listen,
                                                    const AdminSubject& subject);
  virtual ~AdminServer() = default;  ///< Cuts who is connected.
  virtual Endpoint listening_at() const = 0;
};

}  // namespace misrule::proxy
