#pragma once

// Where a body ends, without keeping any of it.
//
// Reference: RFC 9112, 6 and 7. Chunk sizes that two readers could take differently (signs, blanks,
// an overflow, a bare LF) are errors.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "codecs/decoded.h"
#include "codecs/http/limits.h"
#include "codecs/http/message_head.h"

namespace misrule::codecs::http {

class BodyReader {
 public:
  explicit BodyReader(const Limits& limits)
      : line_bytes_max_(limits.chunk_line_bytes_max),
        trailer_bytes_max_(limits.trailer_bytes_max) {}

  /// A body of kUntilClose is never done.
  void start(const BodyFraming& framing);
  bool done() const { return state_ == State::kDone; }

  /// How many bytes at the front of `bytes` belong to the body: all of them unless it ends there.
  /// Each byte is given once; the parts that are payload are appended to `payload`. After an error
  /// the number goes up to the byte that is wrong.
  std::size_t advance(ByteView bytes, std::vector<ByteView>* payload = nullptr);
  /// Of chunks: how long the first one is, once that is known; and the bytes of trailers and the
  /// end, so far.
  std::uint64_t first_chunk() const { return first_chunk_; }
  std::size_t tail_bytes() const { return tail_bytes_; }
  /// Nothing of a chunk is under way: another one could stand here.
  bool between_chunks() const { return state_ == State::kSizeFirst; }
  const std::optional<DecodeError>& error() const { return error_; }

 private:
  enum class State : std::uint8_t {
    kDone,
    kData,  // left_ bytes of a body with a length.
    kUntilClose,
    kSizeFirst,  // The first digit of a chunk's size,
    kSize,       // the others,
    kExtension,  // what follows a semicolon,
    kSizeLf,     // and the LF of its line.
    kChunk,      // left_ bytes of a chunk.
    kChunkCr,
    kChunkLf,
    kTrailerStart,  // The first byte of a trailer's line,
    kTrailer,       // the others,
    kTrailerLf,     // and its LF.
    kEndLf,         // The LF of the empty line.
  };

  std::size_t skip(ByteView bytes, State then);
  void step(char byte);
  void read_size_digit(char byte, bool first);
  void end_size_line();
  void expect(char byte, char wanted, State then);
  void refuse(std::string what);

  std::size_t line_bytes_max_;
  std::size_t trailer_bytes_max_;
  State state_ = State::kDone;
  std::uint64_t left_ = 0;
  std::uint64_t first_chunk_ = 0;
  std::size_t tail_bytes_ = 0;
  std::size_t line_bytes_ = 0;  // Of a size line, or of all trailers.
  std::optional<DecodeError> error_;
};

}  // namespace misrule::codecs::http
