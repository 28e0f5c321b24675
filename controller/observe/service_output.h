#pragma once

// What a service prints: one event per line, and the lines in a file of the run.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "controller/observe/line_decoder.h"
#include "controller/observe/line_splitter.h"
#include "controller/observe/poison_trace.h"
#include "spec/model/event.h"

namespace misrule::controller {

/// For people who ask how it ended.
inline constexpr std::size_t kLastLinesMax = 20;

/// The same of all that one service prints in a test.
struct OutputLimits {
  std::uint64_t lines = 100'000;
  std::uint64_t bytes = std::uint64_t{32} << 20U;
  std::uint64_t file_bytes = std::uint64_t{128} << 20U;
};

/// What a service may still print before its lines are only counted. Its streams share it, also
/// when it is started again. Thread-safe.
class OutputBudget {
 public:
  explicit OutputBudget(OutputLimits limits = {}) : limits_(limits) {}

  enum class Answer : std::uint8_t { kRecord, kFirstBeyond, kBeyond };
  Answer take_line(std::size_t bytes);
  /// How many of so many bytes still go to the file.
  std::size_t take_file_bytes(std::size_t bytes);

  /// "printed 7 more lines (93 bytes); …": what became of them. Empty if every line was recorded.
  std::string rest_text(const std::string& service) const;
  const OutputLimits& limits() const { return limits_; }

 private:
  const OutputLimits limits_;
  mutable std::mutex mutex_ = {};
  std::uint64_t lines_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t unrecorded_lines_ = 0;
  std::uint64_t unrecorded_bytes_ = 0;
};

/// Of a line that a service printed. `type` is "stdout", also of the other stream, unless that has
/// an observer of its own.
struct LineOrigin {
  std::string service = {};
  std::string stream = {};  ///< "stdout" or "stderr"
  std::string type = "stdout";
};
model::Event line_event(const LineOrigin& origin, const LineDecoder& decoder,
                        std::string_view line);

/// One of a service's two output streams. drain() is called on one thread only.
class ServiceOutput {
 public:
  struct Parts {
    LineOrigin origin = {};
    LineDecoder decoder = {};
    UniqueFd pipe = {};                 ///< Made non-blocking here.
    UniqueFd file = {};                 ///< Open for appending; may be invalid.
    LineSplitter::OnLine on_line = {};  ///< Told each line after its event; may be empty.
    OutputBudget& budget;
    bool is_postgres = false;  ///< Its log may hold the trace of statements that we made up.
  };
  ServiceOutput(Parts parts, model::EventSink& sink);

  int fd() const { return parts_.pipe.fd(); }
  /// Takes what is there, but not what is written meanwhile: a service that never pauses must not
  /// keep its reader from all else. False once the stream has ended.
  bool drain();

 private:
  void take_line(std::string_view line);
  void record(std::string_view line, bool injected);
  void keep(std::string_view bytes);

  Parts parts_;
  model::EventSink& sink_;
  LineSplitter splitter_ = {};
  PoisonTrace poison_ = {};
};

}  // namespace misrule::controller
