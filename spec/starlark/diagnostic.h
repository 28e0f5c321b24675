#pragma once

// What went wrong in a spec, where, and how people are shown it.
//
// A Diagnostic is data; to_line(), backtrace() and render() are its texts. Spans point into a
// SourceFile that its Runtime keeps alive: render before the Runtime goes.

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace misrule::star {

/// 1-based; the column counts code points, a tab is one.
struct Position {
  std::string_view path = {};
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// One text that was given to the Runtime. Immutable.
class SourceFile {
 public:
  SourceFile(std::string path, std::string text);

  const std::string& path() const { return path_; }
  const std::string& text() const { return text_; }
  Position position(std::uint32_t offset) const;
  /// A line without its terminator; empty beyond the end.
  std::string_view line(std::uint32_t number) const;

 private:
  std::string path_;
  std::string text_;
  std::vector<std::uint32_t> line_starts_;
};

/// Bytes [lo, hi) of a file. Without a file: nowhere (called from C++).
struct Span {
  const SourceFile* file = nullptr;
  std::uint32_t lo = 0;
  std::uint32_t hi = 0;

  explicit operator bool() const { return file != nullptr; }
  /// Of its first byte; empty path and line 0 when nowhere.
  Position position() const;
  std::string_view text() const;
};

enum class Severity : std::uint8_t { kError, kWarning, kNote };

namespace code {
inline constexpr std::string_view kSyntax = "SPEC_SYNTAX";
inline constexpr std::string_view kName = "SPEC_NAME";
inline constexpr std::string_view kType = "SPEC_TYPE";
inline constexpr std::string_view kValue = "SPEC_VALUE";
inline constexpr std::string_view kArgument = "SPEC_ARG";
inline constexpr std::string_view kFrozen = "SPEC_FROZEN";
inline constexpr std::string_view kLimit = "SPEC_LIMIT";
inline constexpr std::string_view kLoad = "SPEC_LOAD";
inline constexpr std::string_view kFail = "SPEC_FAIL";
inline constexpr std::string_view kCancelled = "SPEC_CANCELLED";
inline constexpr std::string_view kLint = "SPEC_LINT";
inline constexpr std::string_view kInternal = "SPEC_INTERNAL";
}  // namespace code

/// A second place that explains the first: "defined here".
struct Label {
  Span at = {};
  std::string text = {};
};

/// One call that was running, outermost first in Diagnostic::frames.
struct CallFrame {
  std::string name = {};  ///< "<toplevel>", the function's name, or the native's.
  Span at = {};           ///< What it was doing; nowhere for natives.
  bool native = false;
};

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string code = {};
  std::string message = {};  ///< One line, suggestion included.
  std::string help = {};     ///< What to do; may be empty.
  Span at = {};
  std::vector<Label> labels = {};
  std::vector<CallFrame> frames = {};
  std::shared_ptr<const Diagnostic> cause =
      {};  ///< Of a failed load: the error in what was loaded.
};

/// "shop.star:58:5: message"
std::string to_line(const Diagnostic& diagnostic);
/// "Traceback (most recent call last): ..." and the message; only the message without frames.
std::string backtrace(const Diagnostic& diagnostic);
/// For the terminal: header, position, source line with carets, labels, help, calls, cause.
std::string render(const Diagnostic& diagnostic, bool colored);

/// The candidate that `name` was probably meant to be; empty if none is near.
std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates);
/// " (did you mean X?)" or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

/// An error of the spec, while it runs. Natives raise it through raise() or Args::fail().
class EvalError : public std::exception {
 public:
  explicit EvalError(Diagnostic diagnostic);
  const Diagnostic& diagnostic() const { return *diagnostic_; }
  Diagnostic& diagnostic() { return *diagnostic_; }
  const char* what() const noexcept override { return diagnostic_->message.c_str(); }

 private:
  std::shared_ptr<Diagnostic> diagnostic_;
};

/// Base of what unwinds a spec without being its error: nothing in a spec can catch it. A host
/// derives its own (halt, infrastructure failed); the try_ functions of Runtime let those through.
class Unwind {
 public:
  virtual ~Unwind() = default;
};

/// Thread::cancel() was called.
class Cancelled final : public Unwind {
 public:
  explicit Cancelled(std::string reason) : reason_(std::move(reason)) {}
  const std::string& reason() const { return reason_; }

 private:
  std::string reason_;
};

struct Complaint {
  std::string_view code = code::kValue;
  std::string message = {};
  std::string help = {};
  Span at = {};  ///< Nowhere: what the innermost spec frame is doing.
  std::vector<Label> labels = {};
};

/// Throws EvalError with the frames of the thread that runs here.
[[noreturn]] void raise(Complaint complaint);
[[noreturn]] void raise(std::string_view code, std::string message);

}  // namespace misrule::star
