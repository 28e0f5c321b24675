#pragma once

// Where does one RESP value end? Versions 2 and 3, whatever is nested in it.
//
// Reference: https://redis.io/docs/latest/develop/reference/protocol-spec/
//
// It keeps counts and no bytes, so a value of any size streams through. An attribute belongs to the
// value behind it. Streamed strings and aggregates ("$?", "*?") are followed to their end.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "codecs/decoded.h"
#include "codecs/redis/length_line.h"

namespace misrule::codecs::redis {

class ValueScanner {
 public:
  explicit ValueScanner(std::size_t depth_max) : depth_max_(depth_max) {}

  /// How many of the front bytes are a value of the most usual kinds, a line or a string, that is
  /// there whole; 0: it takes a scanner to see.
  static std::size_t whole(ByteView bytes);

  /// How many of the front bytes belong to the value that is under way: all of them, unless it is
  /// done within them or cannot be read.
  std::size_t advance(ByteView bytes);
  bool done() const { return state_ == State::kDone; }
  const std::optional<DecodeError>& error() const { return error_; }
  /// Where the value itself begins, behind its attributes, counted from the first byte.
  std::size_t value_offset() const { return value_offset_; }
  /// The next byte begins another value.
  void restart();

 private:
  enum class State : std::uint8_t { kType, kLength, kLine, kLineEnd, kPayload, kCr, kLf, kDone };
  struct Open {
    std::uint64_t left = 0;
    bool attribute = false;
    bool streamed = false;  ///< An aggregate that "." ends.
    bool chunks = false;    ///< A string whose pieces ";0" ends.
  };

  std::size_t take_some(ByteView bytes);
  std::size_t take_line(ByteView bytes);
  void end_line(char c);
  std::size_t take_payload(ByteView bytes);
  void end_string(char c);
  void take_type(char type);
  void take_length_byte(char c);
  void length_known();
  void string_begins();
  void aggregate_begins();
  void open(const Open& aggregate);
  void close_streamed();
  void value_ended();
  void fail(std::string what);

  std::size_t depth_max_;
  State state_ = State::kType;
  char type_ = 0;
  LengthLine length_;
  std::uint64_t payload_left_ = 0;
  std::vector<Open> open_;  // Innermost last.
  std::size_t taken_ = 0;
  std::size_t value_offset_ = 0;
  std::optional<DecodeError> error_;
};

}  // namespace misrule::codecs::redis
