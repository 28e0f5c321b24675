#include "controller/steps/own_connections.h"

#include <algorithm>
#include <cstddef>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace misrule::controller {
namespace {

std::uint64_t cookie_of(int socket) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return ::getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

std::uint16_t own_port(int socket) {
  sockaddr_in6 address = {};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  // Both families have the port in one place.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return ntohs(address.sin6_port);
}

bool has_failed(int socket) {
  tcp_info state = {};
  socklen_t size = sizeof state;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &state, &size) != 0) return true;
  return state.tcpi_state == TCP_CLOSE;
}

}  // namespace

OwnConnections& OwnConnections::of_this_process() {
  static OwnConnections connections;
  return connections;
}

OwnConnections::Opening::Opening(OwnConnections& connections)
    : connections_(connections), lock_(connections.mutex_) {}

void OwnConnections::Opening::started(int socket, std::uint16_t server_port) {
  if (socket < 0 || has_failed(socket)) return;
  const PortPair ports = {.client = own_port(socket), .server = server_port};
  std::erase_if(connections_.known_, [&](const Known& known) { return known.ports == ports; });
  connections_.make_room();
  connections_.known_.push_back({.ports = ports, .socket = socket, .cookie = cookie_of(socket)});
}

bool OwnConnections::is_open(const Known& known) {
  return known.cookie != 0 && cookie_of(known.socket) == known.cookie;
}

void OwnConnections::make_room() {
  if (known_.size() < kKnownMax) return;
  const auto closed =
      std::ranges::find_if(known_, [](const Known& known) { return !is_open(known); });
  known_.erase(closed == known_.end() ? known_.begin() : closed);
}

bool OwnConnections::contains(PortPair ports, bool open) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::find(known_, ports, &Known::ports);
  if (found == known_.end()) return false;
  if (!open || is_open(*found)) return true;
  // Ours has ended and the ports are somebody else's by now, a proxy's for one.
  known_.erase(found);
  return false;
}

}  // namespace misrule::controller
