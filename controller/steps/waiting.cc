#include "controller/steps/waiting.h"

#include <array>
#include <cerrno>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "controller/steps/own_connections.h"
#include "controller/steps/steps.h"

namespace misrule::controller {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

int poll_timeout(const Patience& patience) {
  const auto left = patience.deadline - std::chrono::steady_clock::now();
  if (left <= Duration::zero()) return 0;
  // Rounded up: a poll that ends a fraction of a millisecond early would spin.
  return static_cast<int>(duration_cast<milliseconds>(left).count()) + 1;
}

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<AddressList> look_up(const StepTarget& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(target.host.c_str(), fmt::format("{}", target.port).c_str(), &hints, &found);
  if (error != 0) {
    return fail(Code::kIo, fmt::format("looking up {}: {}", target.host, ::gai_strerror(error)));
  }
  return AddressList(found, &::freeaddrinfo);
}

std::unexpected<Error> connect_failed(const std::string& where, int error_number) {
  Error error = errno_error("connect " + where, error_number);
  if (error_number == ECONNREFUSED) error.code = Code::kRefused;
  return std::unexpected(std::move(error));
}

/// Connects, or begins to; else the errno.
int begin_connect(int socket, const addrinfo& address, const StepTarget& target) {
  const auto start = [&] {
    return ::connect(socket, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  };
  if (target.proxied) return start();
  OwnConnections::Opening opening(OwnConnections::of_this_process());
  const int result = start();
  opening.started(socket, target.port);
  return result;
}

Result<UniqueFd> connect_address(const addrinfo& address, const StepTarget& target,
                                 const Patience& patience) {
  const std::string where = fmt::format("{}:{}", target.host, target.port);
  UniqueFd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return connect_failed(where, errno);
  const int on = 1;
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int begun = begin_connect(socket.fd(), address, target);
  if (begun == 0) return socket;
  if (begun != EINPROGRESS) return connect_failed(where, begun);
  if (auto ready = wait_ready(socket.fd(), POLLOUT, patience); !ready) {
    return std::unexpected(std::move(ready).error().with("connect " + where));
  }
  int error_number = 0;
  socklen_t size = sizeof error_number;
  ::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error_number, &size);
  if (error_number != 0) return connect_failed(where, error_number);
  return socket;
}

}  // namespace

Patience Patience::start(Duration at_most, int interrupt_fd) {
  return {.at_most = at_most,
          .deadline = std::chrono::steady_clock::now() + at_most,
          .interrupt_fd = interrupt_fd};
}

Status wait_ready(int fd, short poll_events, const Patience& patience) {
  std::array<pollfd, 2> watched = {
      pollfd{.fd = fd, .events = poll_events, .revents = 0},
      pollfd{.fd = patience.interrupt_fd, .events = POLLIN, .revents = 0}};
  for (;;) {
    const int timeout = poll_timeout(patience);
    const int ready = ::poll(watched.data(), watched.size(), timeout);
    if (ready < 0 && errno != EINTR) return std::unexpected(errno_error("poll", errno));
    if (ready > 0 && watched[1].revents != 0) return fail(Code::kCancelled, "interrupted");
    if (ready > 0) return {};
    if (ready == 0 && timeout == 0) {
      const auto ms = duration_cast<milliseconds>(patience.at_most).count();
      return fail(Code::kTimeout, ms % 1000 == 0 ? fmt::format("timed out after {} s", ms / 1000)
                                                 : fmt::format("timed out after {} ms", ms));
    }
  }
}

Result<UniqueFd> connect_tcp(const StepTarget& target, const Patience& patience) {
  MISRULE_TRY(const AddressList addresses, look_up(target));
  Result<UniqueFd> connected = fail(Code::kIo, "no address for " + target.host);
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    connected = connect_address(*at, target, patience);
    if (connected || connected.error().code == Code::kTimeout) break;
  }
  return connected;
}

}  // namespace misrule::controller
