#pragma once

// Diagnostics for the developers of Misrule. What happened in a run is an event, never a log line.
//
// MISRULE_LOG="info,proxy/net=debug" chooses levels; nothing is written by default but warnings.
// A module is the folder's path. Lines go to standard error.

#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace misrule {

enum class LogLevel : unsigned char { kDebug, kInfo, kWarn, kError };

std::optional<LogLevel> log_level_from_name(std::string_view name);

struct LogSettings {
  LogLevel level = LogLevel::kWarn;  ///< Of modules that MISRULE_LOG does not name.
  bool json = false;                 ///< {"time", "level", "module", "message"} instead of text.
};
/// For programs whose diagnostics are part of what they do. Before any other thread runs.
void configure_log(const LogSettings& settings);

/// One per folder, as a namespace-scope constant: inline constexpr Logger kLog{"proxy/net"};
class Logger {
 public:
  explicit constexpr Logger(std::string_view module) : module_(module) {}

  bool enabled(LogLevel level) const;

  template <class... A>
  void debug(fmt::format_string<A...> text, A&&... a) const {
    write(LogLevel::kDebug, text, std::forward<A>(a)...);
  }
  template <class... A>
  void info(fmt::format_string<A...> text, A&&... a) const {
    write(LogLevel::kInfo, text, std::forward<A>(a)...);
  }
  template <class... A>
  void warn(fmt::format_string<A...> text, A&&... a) const {
    write(LogLevel::kWarn, text, std::forward<A>(a)...);
  }
  template <class... A>
  void error(fmt::format_string<A...> text, A&&... a) const {
    write(LogLevel::kError, text, std::forward<A>(a)...);
  }

 private:
  template <class... A>
  void write(LogLevel level, fmt::format_string<A...> text, A&&... a) const {
    if (enabled(level)) write_line(level, fmt::format(text, std::forward<A>(a)...));
  }
  void write_line(LogLevel level, std::string_view text) const;

  std::string_view module_;
};

}  // namespace misrule
