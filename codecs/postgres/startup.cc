#include "codecs/postgres/startup.h"

#include <algorithm>

#include <fmt/format.h>

namespace misrule::codecs::postgres {

namespace {

constexpr std::uint32_t kCancelCode = 80877102;
constexpr std::uint32_t kSslCode = 80877103;
constexpr std::uint32_t kGssEncCode = 80877104;
constexpr std::uint32_t kMajorVersion = 3;
constexpr std::size_t kHeaderBytes = 8;

using Kind = FirstPacket::Kind;

Decoded<FirstPacket> decode_parameters(ByteReader reader, std::size_t length) {
  FirstPacket packet{.kind = Kind::kStartup, .wire_bytes = length};
  while (true) {
    const ByteView name = reader.read_cstring();
    if (!reader.ok()) return DecodeError{"startup parameters do not end"};
    if (name.empty()) break;
    packet.parameters.emplace_back(name, reader.read_cstring());
  }
  return packet;
}

bool is_known(std::uint32_t code) {
  return code == kCancelCode || code == kSslCode || code == kGssEncCode ||
         code >> 16U == kMajorVersion;
}

}  // namespace

Decoded<FirstPacket> decode_first_packet(ByteView unread, const Limits& limits) {
  // No length of ours begins so; TLS from the first byte does, and its client would wait for us.
  if (!unread.empty() && unread.front() != 0) return DecodeError{"no Postgres startup packet"};
  if (unread.size() < kHeaderBytes) return NeedMore{kHeaderBytes};
  ByteReader reader(unread);
  const std::size_t length = reader.read_u32();
  const std::uint32_t code = reader.read_u32();
  if (length < kHeaderBytes || length > limits.startup_bytes_max) {
    return DecodeError{fmt::format("startup packet of {} bytes is not within {} to {}", length,
                                   kHeaderBytes, limits.startup_bytes_max)};
  }
  if (!is_known(code)) return DecodeError{fmt::format("startup code {} is unknown", code)};
  if (unread.size() < length) return NeedMore{length};
  reader = ByteReader(unread.substr(kHeaderBytes, length - kHeaderBytes));
  switch (code) {
    case kSslCode:
      return FirstPacket{.kind = Kind::kSslRequest, .wire_bytes = length};
    case kGssEncCode:
      return FirstPacket{.kind = Kind::kGssEncRequest, .wire_bytes = length};
    case kCancelCode:
      return FirstPacket{.kind = Kind::kCancelRequest,
                         .wire_bytes = length,
                         .cancel_key = std::string(reader.rest())};
    default:
      return decode_parameters(reader, length);
  }
}

}  // namespace misrule::codecs::postgres
