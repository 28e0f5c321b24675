#pragma once

// What a descriptor, a path argument or a mapped address of another process stands for: its kind
// and its canonical path, as this process would spell it.
//
// Not handled: absolute symbolic links below a relative path of a process with another root.

#include <cstdint>
#include <string>

#include <sys/types.h>

#include "interceptor/decide/facts.h"

namespace misrule::interceptor {

struct Object {
  FdKind kind = FdKind::kUnknown;
  std::string path = {};  ///< Empty: it has none.
};

/// Of SO_PROTOCOL; MPTCP is TCP to whoever uses the socket.
bool is_tcp_protocol(int protocol);

Object describe_descriptor(pid_t tid, int descriptor);

/// The file that contains the mapping at `address`.
Object describe_mapping(pid_t tid, std::uint64_t address);

/// Where open() with this path would end: symbolic links followed, the last component may be
/// missing. `directory` is a descriptor of the process, or AT_FDCWD.
std::string resolve_path(pid_t tid, int directory, const std::string& path);

/// A glob whose literal front is spelled canonically: "/var/run/x*" is "/run/x*" where that is a
/// link.
std::string canonical_glob(const std::string& glob);

}  // namespace misrule::interceptor
