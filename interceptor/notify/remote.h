#pragma once

// Memory of other processes. A RemoteAddress is never a pointer here: only RemoteMemory reads it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <sys/types.h>

namespace misrule::interceptor {

class RemoteAddress {
 public:
  explicit RemoteAddress(std::uint64_t value) : value_(value) {}
  std::uint64_t value() const { return value_; }
  RemoteAddress plus(std::uint64_t bytes) const { return RemoteAddress(value_ + bytes); }

 private:
  std::uint64_t value_;
};

/// What is read may change the moment after, and belong to another process once the call is gone:
/// check the notification's id afterwards.
class RemoteMemory {
 public:
  explicit RemoteMemory(pid_t tid) : tid_(tid) {}

  /// All of it, or false.
  bool read(RemoteAddress from, std::span<std::byte> into) const;
  template <class T>
  bool read_object(RemoteAddress from, T& into) const {
    return read(from, std::as_writable_bytes(std::span(&into, 1)));
  }
  /// Up to the NUL; nothing if there is none within PATH_MAX or before the mapping's end.
  std::optional<std::string> read_path(RemoteAddress from) const;
  /// The bytes that `count` iovecs speak of; nothing if they cannot be read.
  std::optional<std::uint64_t> sum_pieces(RemoteAddress iovecs, std::uint64_t count) const;

 private:
  pid_t tid_;
};

}  // namespace misrule::interceptor
