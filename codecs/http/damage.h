#pragma once

// Which bytes of a payload change, and into what: it follows from a seed and a window of the
// payload, never from how its bytes arrive.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace misrule::codecs::http {

class Damage {
 public:
  /// No byte becomes one of `never`.
  Damage(std::uint64_t seed, std::uint64_t bytes, std::string_view never = {})
      : seed_(seed), bytes_(bytes), never_(never) {}

  /// The places lie within the first `window` bytes of the payload, which it surely has.
  void aim(std::uint64_t window);
  bool aimed() const { return aimed_; }
  /// The next bytes of the payload, changed in place.
  void apply(std::span<char> payload);

 private:
  std::uint64_t next_random();
  char changed(char byte);

  std::uint64_t seed_;
  std::uint64_t bytes_;
  std::string_view never_;  // Of a literal.
  bool aimed_ = false;
  std::uint64_t position_ = 0;
  std::size_t done_ = 0;
  std::vector<std::uint64_t> places_;  // In order, at most so many that memory stays small.
};

}  // namespace misrule::codecs::http
