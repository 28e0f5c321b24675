#include "proxy/net/sockets.h"

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>

#include "proxy/net/unix_sockets.h"

namespace misrule::proxy {

namespace {

const sockaddr* address_of(const Endpoint& endpoint) {
  // The sockets API casts: every address type begins with the family.
  return reinterpret_cast<const sockaddr*>(&endpoint.address);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return port;
}

template <class Address>
Endpoint endpoint_of(const Address& address) {
  Endpoint endpoint;
  std::memcpy(&endpoint.address, &address, sizeof address);
  endpoint.size = sizeof address;
  return endpoint;
}

void report(int* error_number, int value) {
  if (error_number != nullptr) *error_number = value;
}

std::unexpected<Error> connect_failed(int problem, int* error_number) {
  report(error_number, problem);
  Error error = errno_error("connecting upstream", problem);
  if (problem == ECONNREFUSED) error.code = Code::kRefused;
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) return unix_endpoint(text.substr(kUnix.size()));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(Code::kInvalid, fmt::format("\"{}\" is no address: HOST:PORT is wanted", text));
  }
  const auto port = parse_port(text.substr(colon + 1));
  std::string host(text.substr(0, colon));
  if (host == "localhost") host = "127.0.0.1";
  sockaddr_in four{
      .sin_family = AF_INET, .sin_port = htons(port.value_or(0)), .sin_addr = {}, .sin_zero = {}};
  if (port && ::inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) return endpoint_of(four);
  if (port && host.starts_with('[') && host.ends_with(']')) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(*port);
    host = host.substr(1, host.size() - 2);
    if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) return endpoint_of(six);
  }
  return fail(Code::kInvalid,
              fmt::format("\"{}\" is no address: 127.0.0.1:5432, [::1]:5432, localhost:5432 or "
                          "unix:/run/app.sock is wanted; names are not looked up",
                          text));
}

std::string endpoint_text(const Endpoint& endpoint) {
  if (is_unix(endpoint)) return "unix:" + unix_path(endpoint);
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (endpoint.address.ss_family == AF_INET6) {
    sockaddr_in6 six;
    std::memcpy(&six, &endpoint.address, sizeof six);
    ::inet_ntop(AF_INET6, &six.sin6_addr, host.data(), host.size());
    return fmt::format("[{}]:{}", host.data(), ntohs(six.sin6_port));
  }
  sockaddr_in four;
  std::memcpy(&four, &endpoint.address, sizeof four);
  ::inet_ntop(AF_INET, &four.sin_addr, host.data(), host.size());
  return fmt::format("{}:{}", host.data(), ntohs(four.sin_port));
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Result<UniqueFd> listen_on(const Endpoint& endpoint, bool shared, mode_t mode) {
  if (is_unix(endpoint)) MISRULE_TRY_VOID(clear_stale_socket(endpoint));
  const auto problem = [&] {
    return std::unexpected(errno_error("listening on " + endpoint_text(endpoint), errno));
  };
  UniqueFd fd(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return problem();
  const int on = 1;
  ::setsockopt(fd.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) ::setsockopt(fd.fd(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  // A Unix socket's file gets the mode of the socket, so nobody else can come in between.
  if (is_unix(endpoint)) ::fchmod(fd.fd(), mode);
  if (::bind(fd.fd(), address_of(endpoint), endpoint.size) != 0) return problem();
  if (::listen(fd.fd(), SOMAXCONN) != 0) return problem();
  return fd;
}

Endpoint bound_to(const UniqueFd& fd) { return local_end_of(fd.fd()); }

Endpoint local_end_of(int fd) {
  Endpoint endpoint;
  endpoint.size = sizeof endpoint.address;
  auto* const address = reinterpret_cast<sockaddr*>(&endpoint.address);
  if (::getsockname(fd, address, &endpoint.size) != 0) endpoint.size = 0;
  return endpoint;
}

namespace {

Result<UniqueFd> begin_connect_to(const Endpoint& to, int* error_number) {
  UniqueFd fd(::socket(to.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return connect_failed(errno, error_number);
  if (::connect(fd.fd(), address_of(to), to.size) != 0 && errno != EINPROGRESS) {
    return connect_failed(errno, error_number);
  }
  set_no_delay(fd.fd());
  return fd;
}

/// The answer is there at once on loopback, although connect() says that it is under way.
bool is_refused(const UniqueFd& fd) {
  pollfd decided{.fd = fd.fd(), .events = POLLOUT, .revents = 0};
  if (::poll(&decided, 1, 0) <= 0 || (decided.revents & POLLERR) == 0) return false;
  int problem = 0;
  socklen_t size = sizeof problem;
  return ::getsockopt(fd.fd(), SOL_SOCKET, SO_ERROR, &problem, &size) == 0 &&
         problem == ECONNREFUSED;
}

}  // namespace

Result<UniqueFd> begin_connect(const Listener& listener, int* error_number) {
  auto fd = begin_connect_to(listener.upstream, error_number);
  if (listener.upstream_else.size == 0) return fd;
  const bool refused = fd ? is_refused(*fd) : fd.error().code == Code::kRefused;
  return refused ? begin_connect_to(listener.upstream_else, error_number) : std::move(fd);
}

Status finish_connect(const UniqueFd& fd, int limit_ms, int* error_number) {
  pollfd waited{.fd = fd.fd(), .events = POLLOUT, .revents = 0};
  const int ready = ::poll(&waited, 1, limit_ms);
  if (ready == 0) {
    report(error_number, 0);
    return fail(Code::kTimeout, fmt::format("no answer from upstream within {} ms", limit_ms));
  }
  int problem = 0;
  socklen_t size = sizeof problem;
  if (ready < 0 || ::getsockopt(fd.fd(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0) {
    problem = errno;
  }
  if (problem != 0) return connect_failed(problem, error_number);
  return {};
}

}  // namespace misrule::proxy
