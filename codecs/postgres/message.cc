#include "codecs/postgres/message.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace misrule::codecs::postgres {

namespace {

constexpr std::size_t kHeaderBytes = 5;
/// A length counts itself.
constexpr std::size_t kLengthMin = 4;
constexpr std::size_t kLengthMax = 0x7fffffff;

/// What is read of names, tags and settings: the server cuts names at 63 bytes.
constexpr std::size_t kNamesBytes = kKiB;
constexpr std::size_t kErrorBytes = 16 * kKiB;
/// Of bound values and of parameters' types; what is longer is not known.
constexpr std::size_t kValuesBytes = 16 * kKiB;
/// A server describes at most 1664 columns, with names of up to 63 bytes.
constexpr std::size_t kColumnsBytes = 160 * kKiB;

/// How much of the body is read; nothing if the client never sends this type.
std::optional<std::size_t> client_head_bytes(char type, const Limits& limits) {
  switch (type) {
    case 'Q':
    case 'P':
      return limits.text_bytes_max;
    case 'B':
      return kValuesBytes;
    case 'C':
    case 'D':
    case 'E':
      return kNamesBytes;
    case 'F':
    case 'H':
    case 'S':
    case 'X':
    case 'c':
    case 'd':
    case 'f':
    case 'p':
      return 0;
    default:
      return std::nullopt;
  }
}

std::optional<std::size_t> server_head_bytes(char type) {
  switch (type) {
    case 'C':
    case 'K':
    case 'S':
    case 'Z':
      return kNamesBytes;
    case 'E':
      return kErrorBytes;
    case 'T':
      return kColumnsBytes;
    case 't':
      return kValuesBytes;
    case 'G':
      return 1;  // Is it binary?
    case '1':
    case '2':
    case '3':
    case 'A':
    case 'D':
    case 'H':
    case 'I':
    case 'N':
    case 'R':
    case 'V':
    case 'W':
    case 'c':
    case 'd':
    case 'n':
    case 's':
    case 'v':
      return 0;
    default:
      return std::nullopt;
  }
}

}  // namespace

Decoded<Message> decode_message(ByteView unread, Sender sender, const Limits& limits) {
  if (unread.empty()) return NeedMore{kHeaderBytes};
  const char type = unread.front();
  const auto wanted =
      sender == Sender::kClient ? client_head_bytes(type, limits) : server_head_bytes(type);
  if (!wanted) {
    return DecodeError{fmt::format("message type 0x{:02x} is unknown",
                                   static_cast<unsigned>(static_cast<unsigned char>(type)))};
  }
  if (unread.size() < kHeaderBytes) return NeedMore{kHeaderBytes};
  ByteReader reader(unread.substr(1));
  const std::size_t length = reader.read_u32();
  if (length < kLengthMin || length > kLengthMax) {
    return DecodeError{fmt::format("length {} of message '{}' is not within {} to {}", length, type,
                                   kLengthMin, kLengthMax)};
  }
  const std::size_t body = length - kLengthMin;
  const std::size_t head = std::min(body, *wanted);
  if (unread.size() < kHeaderBytes + head) return NeedMore{kHeaderBytes + head};
  return Message{.type = type,
                 .head = unread.substr(kHeaderBytes, head),
                 .wire_bytes = kHeaderBytes + head,
                 .rest_bytes = body - head};
}

Message in_whole(const Message& message, ByteView unread) {
  const std::size_t bytes = message.wire_bytes + message.rest_bytes;
  return {.type = message.type,
          .head = unread.substr(kHeaderBytes, bytes - kHeaderBytes),
          .wire_bytes = bytes};
}

}  // namespace misrule::codecs::postgres
