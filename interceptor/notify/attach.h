#pragma once

// One launch through the shim, seen from the supervisor: order, listener, go, executed. See
// interceptor/shim/protocol.h.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <linux/filter.h>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace misrule::interceptor {

/// How a launch ended; told by the loop, waited for by whoever starts the service.
class AttachResult {
 public:
  void tell(Status status);
  Status wait(Duration timeout) const;

 private:
  mutable std::mutex mutex_ = {};
  mutable std::condition_variable told_ = {};
  std::optional<Status> status_ = {};
};

struct UserIds {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups = {};
};

/// A user by name, or by number; nothing for the empty name. kNotFound: no such user.
Result<std::optional<UserIds>> find_user(const std::string& name);

/// Puts the order into the socket, where the shim will find it.
Status send_order(int socket, const std::vector<sock_filter>& filter,
                  const std::optional<UserIds>& user, bool wait_killable);

struct Handover {
  UniqueFd listener = {};
  UniqueFd pipe = {};  ///< Ends when the program is executed, or brings a sentence.
};

/// What the shim has sent; an error is its own words, or its end.
Result<Handover> receive_handover(int socket);

/// Tells the shim that its listener is served.
void send_go(int socket);

/// What stands in the ended or readable pipe: an error if execve failed.
Status read_exec_result(int pipe);

}  // namespace misrule::interceptor
