#pragma once

// Unix sockets: their names, what an earlier process left behind, and their files' end.

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/result.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

/// What follows "unix:" in an address: an absolute path.
Result<Endpoint> unix_endpoint(std::string_view path);
/// Empty for addresses of other families.
std::string unix_path(const Endpoint& endpoint);
inline bool is_unix(const Endpoint& endpoint) { return endpoint.address.ss_family == AF_UNIX; }

/// Removes the file of a socket that nobody listens on any more. Fails if somebody does, or if what
/// is there is no socket.
Status clear_stale_socket(const Endpoint& endpoint);

/// Owns the file of a socket that we listen on: removes it, unless another has taken its place.
class SocketFile {
 public:
  SocketFile() = default;
  /// `endpoint` is bound; nothing is owned if it is no Unix socket.
  explicit SocketFile(const Endpoint& endpoint);
  ~SocketFile();
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&& other) noexcept;
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  void remove();

 private:
  std::string path_ = {};
  dev_t device_ = 0;
  ino_t node_ = 0;
};

}  // namespace misrule::proxy
