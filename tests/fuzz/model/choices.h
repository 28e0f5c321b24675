#pragma once

// What a fuzzer's input decides, one byte at a time; behind its end all is zero.

#include <cstdint>
#include <string_view>

namespace misrule::fuzz {

class Choices {
 public:
  explicit Choices(std::string_view bytes) : rest_(bytes) {}
  bool over() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  std::uint8_t below(std::uint8_t bound) { return static_cast<std::uint8_t>(byte() % bound); }

 private:
  std::string_view rest_;
};

}  // namespace misrule::fuzz
