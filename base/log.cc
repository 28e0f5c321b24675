#include "base/log.h"

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace misrule {
namespace {

LogLevel level_from(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "error") return LogLevel::kError;
  return LogLevel::kWarn;
}

/// What MISRULE_LOG asks for: a level for all, and exceptions by module.
struct Levels {
  LogLevel everywhere = LogLevel::kWarn;
  std::map<std::string, LogLevel, std::less<>> by_module = {};

  explicit Levels(std::string_view text) {
    while (!text.empty()) {
      const std::size_t comma = text.find(',');
      add(text.substr(0, comma));
      text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    }
  }

  void add(std::string_view part) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      everywhere = level_from(part);
    } else {
      by_module.emplace(part.substr(0, equals), level_from(part.substr(equals + 1)));
    }
  }

  LogLevel of(std::string_view module) const {
    const auto found = by_module.find(module);
    return found == by_module.end() ? everywhere : found->second;
  }
};

const Levels& levels() {
  static const Levels from_environment{[] {
    const char* text = std::getenv("MISRULE_LOG");  // NOLINT(concurrency-mt-unsafe): nobody sets it
    return std::string_view(text == nullptr ? "" : text);
  }()};
  return from_environment;
}

spdlog::logger& output() {
  static spdlog::logger logger = [] {
    spdlog::logger made("misrule", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_level(spdlog::level::trace);
    made.set_pattern("%H:%M:%S.%e %L %v");
    return made;
  }();
  return logger;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

bool Logger::enabled(LogLevel level) const { return level >= levels().of(module_); }

void Logger::write_line(LogLevel level, std::string_view text) const {
  output().log(spdlog_level(level), "{}: {}", module_, text);
}

}  // namespace misrule
