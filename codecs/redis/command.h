#pragma once

// Where does a command end, and what are its arguments? What clients send: arrays of strings, or a
// line as people type it.
//
// A command that is longer than the limit is given with its front alone; what is left of it then
// streams.

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "codecs/decoded.h"
#include "codecs/redis/length_line.h"
#include "codecs/redis/limits.h"

namespace misrule::codecs::redis {

/// The views live until the next call of the decoder, and no longer than the bytes given to it.
struct Command {
  ByteView wire = {};                    ///< Its bytes, as far as they are there.
  bool whole = true;                     ///< False: more of it follows; see CommandDecoder::rest().
  std::span<const ByteView> words = {};  ///< Name and arguments, those within the limit.
  std::uint64_t count = 0;               ///< How many there will be. 0: nothing, and no answer.
};

class CommandDecoder {
 public:
  explicit CommandDecoder(const Limits& limits) : limits_(limits) {}

  /// Looks at the front of `unread`; after a command the caller drops wire.size() bytes.
  Decoded<Command> next(ByteView unread);

  /// The bytes of the command at the front, if it is an array that is there whole and its first
  /// word is `name` to the letter; else 0, and next() is to be asked.
  std::size_t whole(ByteView unread, ByteView name) const;

  /// A command was given that is not whole, and has not ended yet.
  bool in_rest() const { return in_rest_; }
  /// How many of the front bytes belong to it.
  std::size_t rest(ByteView bytes);
  /// Why its rest cannot be read.
  const std::optional<DecodeError>& error() const { return error_; }

 private:
  enum class State : std::uint8_t { kStart, kCount, kString, kLength, kPayload, kLineEnd, kDone };
  using Extent = std::pair<std::size_t, std::size_t>;  // Where, how long.

  bool scan_at_once(ByteView unread);
  Decoded<Command> next_inline(ByteView unread);
  bool no_more_is_seen() const;
  Decoded<Command> give(ByteView unread, bool whole);
  std::size_t scan(ByteView bytes);
  std::size_t take_some(ByteView bytes);
  void take_length_byte(char c);
  void count_known();
  void length_known();
  void string_ended();
  void restart();
  void fail(std::string what);

  Limits limits_;
  State state_ = State::kStart;
  LengthLine length_;
  std::size_t scanned_ = 0;  // Front bytes that are understood.
  std::size_t scanned_at_once_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t strings_left_ = 0;
  std::uint64_t payload_left_ = 0;
  std::uint64_t payload_bytes_ = 0;
  unsigned line_end_left_ = 0;
  bool in_rest_ = false;
  std::vector<Extent> extents_;
  std::vector<ByteView> words_;
  std::list<std::string> unquoted_;
  std::optional<DecodeError> error_;
};

}  // namespace misrule::codecs::redis
