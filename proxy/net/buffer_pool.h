#pragma once

// Read buffers, lent to a socket only while it has bytes that are not consumed.
//
// Last in, first out: the next one is hot in cache, and an idle connection owns none.

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace misrule::proxy {

struct Buffer {
  std::unique_ptr<char[]> bytes = {};
  std::size_t size = 0;
};

class BufferPool {
 public:
  static constexpr std::size_t kSmall = std::size_t{16} * 1024;
  static constexpr std::size_t kLarge = std::size_t{64} * 1024;

  /// `at_least` kLarge at most; longer ones are not pooled.
  Buffer take(std::size_t at_least) {
    auto& shelf = at_least > kSmall ? large_ : small_;
    // The caller owns what is returned.
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
    if (shelf.empty()) return fresh(at_least > kSmall ? kLarge : kSmall);
    Buffer taken = std::move(shelf.back());
    shelf.pop_back();
    return taken;
  }
  static Buffer fresh(std::size_t size) {
    return {.bytes = std::make_unique_for_overwrite<char[]>(size), .size = size};
  }
  /// Leaves none behind.
  void give(Buffer& buffer) {
    const bool is_large = buffer.size == kLarge;
    std::vector<Buffer>& shelf = is_large ? large_ : small_;
    const bool fits = is_large || buffer.size == kSmall;
    if (fits && shelf.size() < (is_large ? kLargeKept : kKept)) shelf.push_back(std::move(buffer));
    buffer = Buffer();
  }

 private:
  static constexpr std::size_t kKept = 256;
  static constexpr std::size_t kLargeKept = 16;
  std::vector<Buffer> small_;
  std::vector<Buffer> large_;
};

}  // namespace misrule::proxy
