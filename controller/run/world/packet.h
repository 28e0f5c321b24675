#pragma once

// Packets between the processes of a run: a text and descriptors over a SOCK_SEQPACKET pair, and
// lines over a SOCK_STREAM pair.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace misrule::controller {

struct Packet {
  std::string text = {};
  std::vector<UniqueFd> fds = {};
};

struct SocketPair {
  UniqueFd first;
  UniqueFd second;
};

/// Close-on-exec, both ends. `type` is SOCK_SEQPACKET or SOCK_STREAM.
Result<SocketPair> make_socket_pair(int type);

inline constexpr std::size_t kPacketBytesMax = std::size_t{160} * 1024;
inline constexpr std::size_t kPacketFdsMax = 8;

/// One whole packet, or an error. The descriptors stay the caller's.
Status send_packet(int socket, std::string_view text, std::span<const int> fds = {});

/// Waits for one packet; nothing when the peer has closed.
Result<std::optional<Packet>> receive_packet(int socket);

/// All of `bytes`, to a file, pipe or stream socket; never raises SIGPIPE on a socket.
Status write_all(int fd, std::string_view bytes);

}  // namespace misrule::controller
