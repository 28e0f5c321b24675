#include "codecs/http/websocket_frame.h"

#include <algorithm>

#include <fmt/format.h>

namespace misrule::codecs::http {
namespace {

unsigned byte_at(ByteView bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

bool is_known(unsigned opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

}  // namespace

Decoded<FrameHead> read_frame_head(ByteView unread, bool from_client) {
  if (unread.size() < 2) return NeedMore{2};
  const unsigned first = byte_at(unread, 0);
  const unsigned second = byte_at(unread, 1);
  const unsigned opcode = first & 0x0fU;
  if (!is_known(opcode) || (first & 0x30U) != 0) {
    return DecodeError{fmt::format("a frame that begins with {:#04x}", first)};
  }
  if (((second & 0x80U) != 0) != from_client) {
    return DecodeError{from_client ? "a frame without mask" : "a masked frame of a server"};
  }
  FrameHead head = {.opcode = static_cast<FrameHead::Opcode>(opcode),
                    .fin = (first & 0x80U) != 0,
                    .compressed = (first & 0x40U) != 0};
  const unsigned length = second & 0x7fU;
  if (head.is_control() && (length > 125 || !head.fin || head.compressed)) {
    return DecodeError{"a control frame that is too long, or in parts"};
  }
  const std::size_t length_bytes = length == 127 ? 8U : (length == 126 ? 2U : 0U);
  head.bytes = 2 + length_bytes + (from_client ? 4U : 0U);
  if (unread.size() < head.bytes) return NeedMore{head.bytes};
  head.length = length_bytes == 0 ? length : 0;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    head.length = head.length << 8U | byte_at(unread, 2 + i);
  }
  if (head.length >> 63U != 0) return DecodeError{"a frame's length beyond 63 bits"};
  if (from_client) std::ranges::copy(unread.substr(head.bytes - 4, 4), head.mask.begin());
  return head;
}

std::string close_frame(unsigned code, std::string_view reason) {
  constexpr std::size_t kReasonMax = 123;
  reason = reason.substr(0, kReasonMax);
  std::string frame = "\x88";
  frame.push_back(static_cast<char>(reason.size() + 2));
  frame.push_back(static_cast<char>(code >> 8U & 0xffU));
  frame.push_back(static_cast<char>(code & 0xffU));
  frame += reason;
  return frame;
}

}  // namespace misrule::codecs::http
