#pragma once

// Bytes as everybody sees them, and the one place that turns them into numbers.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace misrule {

using ByteView = std::string_view;

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

/// A bounds-checked cursor over bytes that the caller keeps alive. Reads are big-endian, as network
/// protocols are. Failure is sticky: after the first short read each gives zero or nothing, and
/// ok() tells, so a message can be read in a row and checked once.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  std::uint8_t read_u8();
  std::uint16_t read_u16();
  std::uint32_t read_u32();
  std::uint64_t read_u64();
  std::int16_t read_i16() { return static_cast<std::int16_t>(read_u16()); }
  std::int32_t read_i32() { return static_cast<std::int32_t>(read_u32()); }
  std::int64_t read_i64() { return static_cast<std::int64_t>(read_u64()); }

  /// The next `count` bytes; a view into the bytes given to the constructor.
  ByteView read_bytes(std::size_t count);
  /// Up to the next NUL, which is consumed and not part of the view.
  ByteView read_cstring();

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  /// Everything not yet read.
  ByteView rest() const { return rest_; }

 private:
  std::uint64_t read_big_endian(std::size_t width);

  ByteView rest_;
  bool ok_ = true;
};

void append_u8(std::string& out, std::uint8_t value);
void append_u16(std::string& out, std::uint16_t value);
void append_u32(std::string& out, std::uint32_t value);
void append_u64(std::string& out, std::uint64_t value);
/// The text and its terminating NUL.
void append_cstring(std::string& out, std::string_view text);

/// "50 00 00 2a", for messages and vectors.
std::string to_hex(ByteView bytes);

}  // namespace misrule
