#pragma once

// WebSocket frames: where one ends, and what its head says.
//
// Reference: RFC 6455, 5. Not decoded: extensions other than the bit that says "compressed".
//
//    0               1               2 ...
//   |F|R|R|R| opcode|M| length (7)  | 16 or 64 bits of length, 4 bytes of mask, payload

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "codecs/decoded.h"

namespace misrule::codecs::http {

struct FrameHead {
  enum class Opcode : std::uint8_t {
    kContinuation = 0,
    kText = 1,
    kBinary = 2,
    kClose = 8,
    kPing = 9,
    kPong = 10,
  } opcode = Opcode::kText;
  bool fin = true;
  bool compressed = false;
  std::size_t bytes = 0;  ///< Of the head.
  std::uint64_t length = 0;
  std::array<char, 4> mask = {};  ///< Zeros: none.

  bool is_control() const { return static_cast<std::uint8_t>(opcode) >= 8; }
};

/// Clients mask, servers do not; whoever does otherwise speaks something else.
Decoded<FrameHead> read_frame_head(ByteView unread, bool from_client);

/// A message's end of the conversation: "1011 internal error".
std::string close_frame(unsigned code, std::string_view reason);

}  // namespace misrule::codecs::http
