#pragma once

// A length as RESP writes it, "12\r\n" behind its type byte, taken byte by byte.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace misrule::codecs::redis {

/// A length of few digits at `at`, which is moved behind its line: the quick way. Nothing where it
/// is not there whole, or is no such length; LengthLine then says what it is.
inline std::optional<std::size_t> read_small_length(ByteView bytes, std::size_t& at) {
  constexpr std::size_t kDigitsMax = 7;
  const std::size_t end = std::min(bytes.size(), at + kDigitsMax);
  std::size_t value = 0;
  std::size_t i = at;
  for (; i < end && bytes[i] >= '0' && bytes[i] <= '9'; ++i) {
    value = value * 10 + static_cast<std::size_t>(bytes[i] - '0');
  }
  if (i == at || bytes.size() - i < 2 || bytes[i] != '\r' || bytes[i + 1] != '\n') {
    return std::nullopt;
  }
  at = i + 2;
  return value;
}

class LengthLine {
 public:
  enum class State : std::uint8_t { kMore, kDone, kBad };

  void restart() { *this = {}; }
  State take(char c);

  /// Of a line that is done: -1 where the line says so, -2 and less never.
  std::int64_t value() const { return negative_ ? -value_ : value_; }
  /// "?": as many as come until an end is said.
  bool streamed() const { return streamed_; }

 private:
  static constexpr std::int64_t kMax = std::int64_t{1} << 52;

  State take_digit(char c);

  std::int64_t value_ = 0;
  bool has_digit_ = false;
  bool negative_ = false;
  bool streamed_ = false;
  bool at_end_ = false;
};

inline LengthLine::State LengthLine::take(char c) {
  if (at_end_) return c == '\n' ? State::kDone : State::kBad;
  if (c >= '0' && c <= '9') return take_digit(c);
  if (c == '\r' && (has_digit_ || streamed_)) {
    at_end_ = true;
    return State::kMore;
  }
  const bool at_start = !has_digit_ && !negative_ && !streamed_;
  if (c == '-' && at_start) {
    negative_ = true;
    return State::kMore;
  }
  if (c == '?' && at_start) {
    streamed_ = true;
    return State::kMore;
  }
  return State::kBad;
}

inline LengthLine::State LengthLine::take_digit(char c) {
  has_digit_ = true;
  // Far from an overflow, and far beyond any length.
  if (streamed_ || value_ > kMax) return State::kBad;
  value_ = value_ * 10 + (c - '0');
  return negative_ && value_ > 1 ? State::kBad : State::kMore;
}

}  // namespace misrule::codecs::redis
