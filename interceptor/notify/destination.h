#pragma once

// Socket addresses of connect(): read, spelled, and brought to the one form that routes are looked
// up by.

#include <optional>
#include <string>

#include <sys/socket.h>

#include "interceptor/notify/remote.h"

namespace misrule::interceptor {

struct Destination {
  sockaddr_storage address = {};
  socklen_t size = 0;

  bool is_internet() const;
};

/// The address argument of a connect(); nothing if it cannot be read or is no address.
std::optional<Destination> read_destination(const RemoteMemory& memory, RemoteAddress from,
                                            std::uint64_t size);

/// v4-mapped is IPv4, and the unspecified address is the loopback that the kernel takes it for.
Destination normalised(const Destination& destination);

/// The same address for a socket of `family`: IPv4 becomes v4-mapped for an IPv6 socket. Nothing if
/// there is no such address.
std::optional<Destination> for_family(const Destination& destination, sa_family_t family);

/// "10.0.0.1:5432", "[::1]:80", "unix:/run/x.sock", "unix:@name".
std::string destination_text(const Destination& destination);

/// The path of a unix socket with a name in the file system, made absolute for `tid`; else empty.
std::string unix_path(pid_t tid, const Destination& destination);

}  // namespace misrule::interceptor
