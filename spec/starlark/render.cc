// Diagnostics as people read them.

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/diagnostic.h"

namespace misrule::star {
namespace {

constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[1;33m";
constexpr std::string_view kCyan = "\x1b[1;36m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kReset = "\x1b[0m";

std::string_view word_of(Severity severity) {
  if (severity == Severity::kError) return "error";
  return severity == Severity::kWarning ? "warning" : "note";
}

std::string_view color_of(Severity severity) {
  if (severity == Severity::kError) return kRed;
  return severity == Severity::kWarning ? kYellow : kCyan;
}

/// A source line as it is shown, and which columns of it are marked.
struct MarkedLine {
  std::string text = {};
  std::size_t from = 0;
  std::size_t width = 1;
};

// Tabs become eight columns; what is no text becomes a dot; a long line is cut around the mark.
MarkedLine marked_line(const Span& span) {
  constexpr std::size_t kWidthMax = 160;
  const Position at = span.position();
  const std::string_view line = span.file->line(at.line);
  const auto start = static_cast<std::size_t>(line.data() - span.file->text().data());
  const std::size_t lo = span.lo - start;
  const std::size_t hi = std::min<std::size_t>(span.hi - start, line.size());
  MarkedLine out;
  std::size_t column = 0;
  std::size_t end = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if (i == lo) out.from = column;
    if (byte == '\t') {
      out.text.append(8 - column % 8, ' ');
      column += 8 - column % 8;
    } else {
      out.text.push_back(byte < 0x20 || byte == 0x7F ? '.' : line[i]);
      if ((byte & 0xC0U) != 0x80U) ++column;
    }
    if (i < hi) end = column;
  }
  if (lo >= line.size()) out.from = column;
  out.width = end > out.from ? end - out.from : 1;
  const bool ascii = out.text.size() == column;
  if (ascii && column > kWidthMax) {
    const std::size_t first = out.from > kWidthMax / 2 ? out.from - kWidthMax / 2 : 0;
    out.text = out.text.substr(first, kWidthMax);
    out.from -= first;
    out.width = std::min(out.width, kWidthMax - out.from);
  }
  return out;
}

class Renderer {
 public:
  explicit Renderer(bool colored) : colored_(colored) {}

  std::string run(const Diagnostic& diagnostic) {
    header(diagnostic);
    if (diagnostic.at) snippet(diagnostic.at, '^', color_of(diagnostic.severity), "");
    for (const Label& label : diagnostic.labels) {
      if (label.at) snippet(label.at, '-', kCyan, label.text);
    }
    if (!diagnostic.help.empty()) line(fmt::format("  = help: {}", diagnostic.help));
    calls(diagnostic);
    if (diagnostic.cause != nullptr) {
      line("caused by:");
      run(*diagnostic.cause);
    }
    return out_;
  }

 private:
  void line(std::string_view text) {
    out_ += text;
    out_ += '\n';
  }

  std::string paint(std::string_view color, std::string_view text) const {
    return colored_ ? fmt::format("{}{}{}", color, text, kReset) : std::string(text);
  }

  void header(const Diagnostic& diagnostic) {
    const std::string tag = fmt::format("{}[{}]", word_of(diagnostic.severity), diagnostic.code);
    line(fmt::format("{}: {}", paint(color_of(diagnostic.severity), tag),
                     paint(kBold, diagnostic.message)));
  }

  void snippet(const Span& span, char mark, std::string_view color, std::string_view note) {
    const Position at = span.position();
    const MarkedLine shown = marked_line(span);
    const std::string number = std::to_string(at.line);
    const std::string margin(number.size(), ' ');
    line(fmt::format("{} {} {}:{}:{}{}{}", margin, paint(kCyan, "-->"), at.path, at.line, at.column,
                     note.empty() ? "" : "  ", note));
    line(fmt::format("{} {} {}", paint(kCyan, number), paint(kCyan, "|"), shown.text));
    line(fmt::format("{} {} {}{}", margin, paint(kCyan, "|"), std::string(shown.from, ' '),
                     paint(color, std::string(shown.width, mark))));
  }

  /// How it came there; only worth a line when more than the top level was running.
  void calls(const Diagnostic& diagnostic) {
    constexpr std::size_t kShownMax = 10;
    std::vector<const CallFrame*> frames;
    for (const CallFrame& frame : diagnostic.frames) {
      if (!frame.native && frame.at) frames.push_back(&frame);
    }
    if (frames.size() < 2) return;
    line("  called from:");
    const std::size_t skipped = frames.size() > kShownMax ? frames.size() - kShownMax : 0;
    for (std::size_t i = frames.size() - 1; i-- > skipped;) {
      const Position at = frames[i]->at.position();
      line(fmt::format("    {}:{}:{} in {}", at.path, at.line, at.column, frames[i]->name));
    }
    if (skipped > 0) line(fmt::format("    ... and {} more calls", skipped));
  }

  std::string out_;
  bool colored_;
};

}  // namespace

std::string to_line(const Diagnostic& diagnostic) {
  if (!diagnostic.at) return diagnostic.message;
  const Position at = diagnostic.at.position();
  return fmt::format("{}:{}:{}: {}", at.path, at.line, at.column, diagnostic.message);
}

std::string backtrace(const Diagnostic& diagnostic) {
  std::vector<CallFrame> frames = diagnostic.frames;
  std::string ending = fmt::format("Error: {}", diagnostic.message);
  if (!frames.empty() && frames.back().native) {
    ending = fmt::format("Error in {}: {}", frames.back().name, diagnostic.message);
    frames.pop_back();
  }
  if (frames.empty()) return ending;
  std::string out = "Traceback (most recent call last):\n";
  for (const CallFrame& frame : frames) {
    const Position at = frame.at.position();
    out += frame.native
               ? fmt::format("  <builtin>: in {}\n", frame.name)
               : fmt::format("  {}:{}:{}: in {}\n", at.path, at.line, at.column, frame.name);
  }
  return out + ending;
}

std::string render(const Diagnostic& diagnostic, bool colored) {
  return Renderer(colored).run(diagnostic);
}

}  // namespace misrule::star
