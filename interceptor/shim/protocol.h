#pragma once

// What supervisor and shim say to each other over the inherited socket (SOCK_SEQPACKET).
//
//   supervisor -> shim   Order, then `group_count` gids (uint32), then `filter_length`
//   sock_filters;
//                        waits in the socket's buffer before the shim is started
//   shim -> supervisor   one message: kReady with two descriptors (listener, read end of a pipe),
//   or
//                        kFailed and a sentence
//   supervisor -> shim   one byte: the listener is served, go
//
// Whatever goes wrong after that is a sentence in the pipe. The pipe ends without one when the
// program has been executed: its write end is close-on-exec and nobody else has it.

#include <cstddef>
#include <cstdint>

namespace misrule::interceptor {

struct Order {
  std::uint32_t magic = 0;
  std::uint32_t switches_user = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t group_count = 0;
  std::uint32_t filter_flags =
      0;  ///< Of seccomp(2); the shim does without WAIT_KILLABLE_RECV if it must.
  std::uint32_t filter_length = 0;
};

inline constexpr std::uint32_t kOrderMagic = 0x6d737231;  // "msr1"
inline constexpr std::size_t kGroupsMax = 1024;
inline constexpr std::size_t kFilterLengthMax = 4096;  // BPF_MAXINSNS
inline constexpr std::size_t kOrderBytesMax =
    sizeof(Order) + kGroupsMax * sizeof(std::uint32_t) + kFilterLengthMax * 8;

inline constexpr char kReady = 'L';
inline constexpr char kFailed = 'E';
inline constexpr std::size_t kSentenceMax = 1024;

}  // namespace misrule::interceptor
