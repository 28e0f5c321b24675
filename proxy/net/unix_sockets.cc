#include "proxy/net/unix_sockets.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace misrule::proxy {

Result<Endpoint> unix_endpoint(std::string_view path) {
  sockaddr_un address{};
  constexpr std::size_t kPathMax = sizeof address.sun_path - 1;
  if (!path.starts_with('/') || path.ends_with('/')) {
    return fail(Code::kInvalid, fmt::format("\"unix:{}\" is no address: an absolute path of a "
                                            "socket is wanted, such as unix:/run/app.sock",
                                            path));
  }
  if (path.size() > kPathMax) {
    return fail(Code::kLimit, fmt::format("\"unix:{}\": the path has {} bytes, a socket's path at "
                                          "most {}; use a shorter folder",
                                          path, path.size(), kPathMax));
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  Endpoint endpoint;
  std::memcpy(&endpoint.address, &address, sizeof address);
  endpoint.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return endpoint;
}

std::string unix_path(const Endpoint& endpoint) {
  if (!is_unix(endpoint)) return {};
  sockaddr_un address{};
  std::memcpy(&address, &endpoint.address, sizeof address);
  return {address.sun_path, ::strnlen(address.sun_path, sizeof address.sun_path)};
}

Status clear_stale_socket(const Endpoint& endpoint) {
  const std::string path = unix_path(endpoint);
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode)) {
    return fail(Code::kInvalid, fmt::format("unix:{} is there and is no socket", path));
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe.valid()) return std::unexpected(errno_error("looking at " + path, errno));
  const auto* address = reinterpret_cast<const sockaddr*>(&endpoint.address);
  const bool answers = ::connect(probe.fd(), address, endpoint.size) == 0 || errno == EAGAIN;
  if (answers) {
    return fail(Code::kIo, fmt::format("another process listens on unix:{}", path));
  }
  if (errno == ECONNREFUSED) ::unlink(path.c_str());
  return {};
}

SocketFile::SocketFile(const Endpoint& endpoint) : path_(unix_path(endpoint)) {
  struct stat found{};
  if (path_.empty() || ::lstat(path_.c_str(), &found) != 0) {
    path_.clear();
    return;
  }
  device_ = found.st_dev;
  node_ = found.st_ino;
}

SocketFile::~SocketFile() { remove(); }

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), node_(other.node_) {}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::exchange(other.path_, {});
    device_ = other.device_;
    node_ = other.node_;
  }
  return *this;
}

void SocketFile::remove() {
  struct stat found{};
  const std::string path = std::exchange(path_, {});
  const bool is_ours = !path.empty() && ::lstat(path.c_str(), &found) == 0 &&
                       found.st_dev == device_ && found.st_ino == node_;
  if (is_ours) ::unlink(path.c_str());
}

}  // namespace misrule::proxy
