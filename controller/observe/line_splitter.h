#pragma once

// Where does a line end in a stream of bytes that comes in pieces?

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace misrule::controller {

/// Of one line. A longer one comes in pieces of this size.
inline constexpr std::size_t kLineBytesMax = std::size_t{1} << 20U;

/// Cuts a stream of bytes into lines, without their ends.
class LineSplitter {
 public:
  using OnLine = std::function<void(std::string_view)>;
  void feed(std::string_view bytes, const OnLine& on_line);
  /// A last line that was not ended.
  void finish(const OnLine& on_line);

 private:
  std::string partial_ = {};
};

}  // namespace misrule::controller
