#pragma once

// The shim's side of protocol.h: taking the order, handing the listener over.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <linux/filter.h>

#include "interceptor/shim/protocol.h"

namespace misrule::interceptor {

struct ReceivedOrder {
  Order order = {};
  std::vector<std::uint32_t> groups = {};
  std::vector<sock_filter> filter = {};
};

/// False: the socket holds no well-formed order.
bool take_order(int socket, ReceivedOrder& out);

/// kReady with both descriptors; false with errno set.
bool send_ready(int socket, std::span<const int, 2> descriptors);
void send_failure(int socket, const std::string& sentence);

/// Blocks until the supervisor serves the listener; false: it is gone.
bool wait_for_go(int socket);

}  // namespace misrule::interceptor
