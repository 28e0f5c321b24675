#pragma once

// What a service prints: one event per line, and the lines in a file of the run.

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "spec/model/event.h"

namespace misrule::controller {

/// Bounds on what one service may make us hold.
inline constexpr std::size_t kLineBytesMax = 64 * 1024;
inline constexpr std::size_t kLastLinesMax = 20;

/// Cuts a stream of bytes into lines, without their ends. A longer line comes in pieces.
class LineSplitter {
 public:
  using OnLine = std::function<void(std::string_view)>;
  void feed(std::string_view bytes, const OnLine& on_line);
  /// A last line that was not ended.
  void finish(const OnLine& on_line);

 private:
  std::string partial_ = {};
};

/// The event of a line: type "stdout"; a line that is a JSON object is decoded into `data` and
/// fields.
model::Event line_event(const std::string& service, std::string_view stream, std::string_view line);

/// One of a service's two output streams. drain() is called on one thread only.
class ServiceOutput {
 public:
  struct Parts {
    std::string service = {};
    std::string stream = {};            ///< "stdout" or "stderr"
    UniqueFd pipe = {};                 ///< Made non-blocking here.
    UniqueFd file = {};                 ///< Open for appending; may be invalid.
    LineSplitter::OnLine on_line = {};  ///< Told each line after its event; may be empty.
  };
  ServiceOutput(Parts parts, model::EventSink& sink);

  int fd() const { return parts_.pipe.fd(); }
  /// Takes what is there. False once the stream has ended.
  bool drain();

 private:
  void take_line(std::string_view line);

  Parts parts_;
  model::EventSink& sink_;
  LineSplitter splitter_ = {};
};

}  // namespace misrule::controller
