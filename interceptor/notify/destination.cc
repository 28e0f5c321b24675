#include "interceptor/notify/destination.h"

#include <array>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "interceptor/notify/objects.h"

namespace misrule::interceptor {
namespace {

// sockaddr_storage is a box for any kind of address; these are the only places that open it.
template <class Address>
Address unpack(const Destination& destination) {
  Address out = {};
  std::memcpy(&out, &destination.address, sizeof(out));
  return out;
}

template <class Address>
Destination pack(const Address& address) {
  Destination out;
  std::memcpy(&out.address, &address, sizeof(address));
  out.size = sizeof(address);
  return out;
}

sockaddr_in unmapped(const sockaddr_in6& mapped) {
  sockaddr_in out = {};
  out.sin_family = AF_INET;
  out.sin_port = mapped.sin6_port;
  std::memcpy(&out.sin_addr, mapped.sin6_addr.s6_addr + 12, sizeof(out.sin_addr));
  return out;
}

sockaddr_in6 mapped(const sockaddr_in& address) {
  sockaddr_in6 out = {};
  out.sin6_family = AF_INET6;
  out.sin6_port = address.sin_port;
  out.sin6_addr.s6_addr[10] = 0xff;
  out.sin6_addr.s6_addr[11] = 0xff;
  std::memcpy(out.sin6_addr.s6_addr + 12, &address.sin_addr, sizeof(address.sin_addr));
  return out;
}

std::size_t smallest_size(sa_family_t family) {
  if (family == AF_INET) return sizeof(sockaddr_in);
  // Without the scope, as old programs pass it (SIN6_LEN_RFC2133).
  if (family == AF_INET6) return offsetof(sockaddr_in6, sin6_scope_id);
  return sizeof(sa_family_t);
}

std::string unix_text(const Destination& destination) {
  const auto address = unpack<sockaddr_un>(destination);
  const std::size_t room = destination.size - offsetof(sockaddr_un, sun_path);
  if (destination.size <= offsetof(sockaddr_un, sun_path)) return "unix:";
  if (address.sun_path[0] == '\0') {
    return "unix:@" + std::string(address.sun_path + 1, strnlen(address.sun_path + 1, room - 1));
  }
  return "unix:" + std::string(address.sun_path, strnlen(address.sun_path, room));
}

}  // namespace

bool Destination::is_internet() const {
  return address.ss_family == AF_INET || address.ss_family == AF_INET6;
}

std::optional<Destination> read_destination(const RemoteMemory& memory, RemoteAddress from,
                                            std::uint64_t size) {
  Destination out;
  if (size < sizeof(sa_family_t) || size > sizeof(out.address)) return std::nullopt;
  const auto bytes = std::as_writable_bytes(std::span(&out.address, 1));
  if (!memory.read(from, bytes.first(size))) return std::nullopt;
  if (size < smallest_size(out.address.ss_family)) return std::nullopt;
  out.size = static_cast<socklen_t>(size);
  return out;
}

Destination normalised(const Destination& destination) {
  if (destination.address.ss_family == AF_INET6) {
    auto address = unpack<sockaddr_in6>(destination);
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) return normalised(pack(unmapped(address)));
    if (IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr)) address.sin6_addr = in6addr_loopback;
    return pack(address);
  }
  if (destination.address.ss_family == AF_INET) {
    auto address = unpack<sockaddr_in>(destination);
    if (address.sin_addr.s_addr == INADDR_ANY) address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return pack(address);
  }
  return destination;
}

std::optional<Destination> for_family(const Destination& destination, sa_family_t family) {
  if (destination.address.ss_family == family) return destination;
  if (family == AF_INET6 && destination.address.ss_family == AF_INET) {
    return pack(mapped(unpack<sockaddr_in>(destination)));
  }
  if (family == AF_INET && destination.address.ss_family == AF_INET6) {
    const auto address = unpack<sockaddr_in6>(destination);
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) return pack(unmapped(address));
  }
  return std::nullopt;
}

std::string destination_text(const Destination& destination) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  switch (destination.address.ss_family) {
    case AF_INET: {
      const auto address = unpack<sockaddr_in>(destination);
      inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
      return fmt::format("{}:{}", text.data(), ntohs(address.sin_port));
    }
    case AF_INET6: {
      const auto address = unpack<sockaddr_in6>(destination);
      inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
      return fmt::format("[{}]:{}", text.data(), ntohs(address.sin6_port));
    }
    case AF_UNIX:
      return unix_text(destination);
    default:
      return fmt::format("address family {}", destination.address.ss_family);
  }
}

std::string unix_path(pid_t tid, const Destination& destination) {
  if (destination.address.ss_family != AF_UNIX) return {};
  constexpr std::size_t kPrefix = 5;  // "unix:"
  const std::string name = unix_text(destination).substr(kPrefix);
  if (name.empty() || name.front() == '@') return {};
  return resolve_path(tid, AT_FDCWD, name);
}

}  // namespace misrule::interceptor
