#pragma once

// The memory of one Runtime: its budget, and the list of its objects, so that cycles can be taken
// apart.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "spec/starlark/object.h"

namespace misrule::star {

struct Limits;
class Runtime;
class Thread;

class Heap {
 public:
  explicit Heap(const Limits& limits);
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  /// Of what is entered on this OS thread; without one nothing is bounded. Raises SPEC_LIMIT.
  static void charge(std::size_t bytes);
  static void uncharge(std::size_t bytes) noexcept;
  /// Raises if that much more would be too much; for results that are about to be built.
  static void reserve(std::size_t bytes);
  static const Limits& limits();
  static Heap* current();
  static Heap* exchange_current(Heap* heap);

  static void link(Object& object);
  static void unlink(Object& object) noexcept;
  static std::uint64_t next_serial();
  /// The same string each time, while there are not too many; else one of its own.
  static Value name(std::string_view text);

  std::size_t used() const { return used_; }
  std::size_t objects() const;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  void drop_everything() noexcept;

  const Limits& limits_;
  std::size_t used_ = 0;
  std::uint64_t serial_ = 0;
  class Sentinel;
  Sentinel* objects_;
  std::unordered_map<std::string, Value, TextHash, std::equal_to<>> names_ = {};
};

/// The thread whose spec code runs on this OS thread, or null.
Thread* current_thread();
Thread* exchange_current_thread(Thread* thread);

}  // namespace misrule::star
