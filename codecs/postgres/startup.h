#pragma once

// The first packet of a connection, which has no type byte.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "codecs/decoded.h"
#include "codecs/postgres/limits.h"

namespace misrule::codecs::postgres {

/// Everything in it is copied: it is rare and small.
struct FirstPacket {
  enum class Kind : std::uint8_t {
    kStartup,
    kSslRequest,     ///< Wants one raw byte: 'N', and the next first packet follows.
    kGssEncRequest,  ///< The same.
    kCancelRequest,  ///< Wants no answer at all.
  } kind = Kind::kStartup;
  std::size_t wire_bytes = 0;
  std::string cancel_key =
      {};  ///< kCancelRequest: what BackendKeyData said, process id and secret.
  std::vector<std::pair<std::string, std::string>> parameters = {};  ///< kStartup, as sent.
};

/// Looks for one first packet at the front of `unread`. DecodeError: no Postgres that we know (TLS
/// from the first byte, protocol 2, an impossible length).
Decoded<FirstPacket> decode_first_packet(ByteView unread, const Limits& limits);

}  // namespace misrule::codecs::postgres
