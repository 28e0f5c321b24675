#include "controller/run/world/packet.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

namespace misrule::controller {

Result<SocketPair> make_socket_pair(int type) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(errno_error("socketpair", errno));
  }
  return SocketPair{.first = UniqueFd(ends[0]), .second = UniqueFd(ends[1])};
}

namespace {

/// Room for the descriptors of one packet, aligned as the kernel wants it.
union ControlRoom {
  std::array<char, CMSG_SPACE(sizeof(int) * kPacketFdsMax)> bytes;
  cmsghdr aligned;
};

void attach_fds(msghdr& message, ControlRoom& room, std::span<const int> fds) {
  message.msg_control = room.bytes.data();
  message.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
}

std::vector<UniqueFd> detach_fds(msghdr& message) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

Status send_packet(int socket, std::string_view text, std::span<const int> fds) {
  if (text.size() > kPacketBytesMax || fds.size() > kPacketFdsMax) {
    return fail(Code::kLimit,
                fmt::format("a packet of {} bytes and {} descriptors exceeds {} and {}",
                            text.size(), fds.size(), kPacketBytesMax, kPacketFdsMax));
  }
  iovec part = {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ControlRoom room = {};
  if (!fds.empty()) attach_fds(message, room, fds);
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return std::unexpected(errno_error("sending a packet", errno));
  }
  return {};
}

Result<std::optional<Packet>> receive_packet(int socket) {
  Packet packet;
  packet.text.resize(kPacketBytesMax);
  iovec part = {.iov_base = packet.text.data(), .iov_len = packet.text.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ControlRoom room = {};
  message.msg_control = room.bytes.data();
  message.msg_controllen = room.bytes.size();
  ssize_t got = -1;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno != ECONNRESET) {
    return std::unexpected(errno_error("receiving a packet", errno));
  }
  packet.fds = detach_fds(message);
  if (got <= 0) return std::optional<Packet>();
  packet.text.resize(static_cast<std::size_t>(got));
  return std::optional<Packet>(std::move(packet));
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t done = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (done < 0 && errno == ENOTSOCK) done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return std::unexpected(errno_error("writing", errno));
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

}  // namespace misrule::controller
