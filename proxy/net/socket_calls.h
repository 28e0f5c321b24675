#pragma once

// The system calls of the byte path, as a parameter: a test makes the n-th of them fail.

#include <cstddef>

#include <sys/types.h>

namespace misrule::proxy {

class SocketCalls {
 public:
  virtual ~SocketCalls() = default;
  /// As recv(2) and send(2) with MSG_NOSIGNAL: -1 and errno.
  virtual ssize_t receive(int fd, char* into, std::size_t size);
  virtual ssize_t send(int fd, const char* from, std::size_t size);
  /// As accept4(2) with both flags.
  virtual int accept(int fd);
};

/// The kernel's own.
SocketCalls& kernel_sockets();

}  // namespace misrule::proxy
