#include "base/log.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <fmt/chrono.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json_text.h"

namespace misrule {
namespace {

constexpr std::string_view kLevelNames[] = {"debug", "info", "warn", "error"};

LogLevel level_from(std::string_view name) {
  return log_level_from_name(name).value_or(LogLevel::kWarn);
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

Levels& levels() {
  static Levels from_environment{[] {
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

std::string json_line(LogLevel level, std::string_view module, std::string_view text) {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  return fmt::format(R"({{"time":"{:%Y-%m-%dT%H:%M:%S}.{:03}Z","level":"{}","module":"{}",)"
                     R"("message":{}}})",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms.count() % 1000,
                     kLevelNames[static_cast<std::size_t>(level)], module, json_quoted(text));
}

bool as_json = false;

}  // namespace

std::optional<LogLevel> log_level_from_name(std::string_view name) {
  const auto* const found = std::ranges::find(kLevelNames, name);
  if (found == std::end(kLevelNames)) return std::nullopt;
  return static_cast<LogLevel>(found - std::begin(kLevelNames));
}

void configure_log(const LogSettings& settings) {
  levels().everywhere = settings.level;
  as_json = settings.json;
  if (as_json) output().set_pattern("%v");
}

bool Logger::enabled(LogLevel level) const { return level >= levels().of(module_); }

void Logger::write_line(LogLevel level, std::string_view text) const {
  if (as_json) return output().log(spdlog_level(level), "{}", json_line(level, module_, text));
  output().log(spdlog_level(level), "{}: {}", module_, text);
}

}  // namespace misrule
