#pragma once

// Where one message of the command phase ends, and its front.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "codecs/decoded.h"
#include "codecs/postgres/limits.h"

namespace misrule::codecs::postgres {

enum class Sender : std::uint8_t { kClient, kServer };

/// The front of one message. `head` points into the bytes given to decode_message.
struct Message {
  char type = 0;
  ByteView head = {};          ///< The front of the body, as much of it as its type is read for.
  std::size_t wire_bytes = 0;  ///< Header and head: these are there.
  std::size_t rest_bytes = 0;  ///< These follow, and need not be there.
};

/// Looks for one message at the front of `unread`. A long message is a head and a rest that
/// streams; nothing is allocated. DecodeError: a type that `sender` never sends, or an impossible
/// length.
Decoded<Message> decode_message(ByteView unread, Sender sender, const Limits& limits);

/// The message at the front of `unread`, all of which is there, with its whole body as its head.
Message in_whole(const Message& message, ByteView unread);

}  // namespace misrule::codecs::postgres
