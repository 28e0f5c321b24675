#include "controller/report/again.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace misrule::controller {

std::string shell_quoted(std::string_view argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+";
  const bool plain =
      !argument.empty() && argument.find_first_not_of(kPlain) == std::string_view::npos;
  if (plain) return std::string(argument);
  std::string out = "'";
  for (const char c : argument) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

namespace {

std::string settings_of(const RunRequest& request) {
  std::string words;
  for (const auto& [name, value] : request.set) {
    words += " --set " + shell_quoted(fmt::format("{}={}", name, value));
  }
  return words;
}

}  // namespace

std::string check_command(std::string_view program, const RunRequest& request,
                          std::string_view file) {
  return fmt::format("{} check {}{}", shell_quoted(program), shell_quoted(file),
                     settings_of(request));
}

std::string again_command(std::string_view program, const RunRequest& request,
                          const RunPlan::Test& test, std::uint64_t seed) {
  const RunRequest defaults;
  std::string line = fmt::format("{} test {} --test {} --seed {}", shell_quoted(program),
                                 shell_quoted(test.file), shell_quoted(test.name), seed);
  line += settings_of(request);
  if (request.timeout != defaults.timeout) {
    line +=
        fmt::format(" --timeout {}ms",
                    std::chrono::duration_cast<std::chrono::milliseconds>(request.timeout).count());
  }
  if (request.backend != defaults.backend) line += " --backend " + shell_quoted(request.backend);
  if (request.host_network) line += " --network host";
  if (!request.rules_file.empty()) line += " --rules " + shell_quoted(request.rules_file);
  if (request.strict) line += " --strict";
  return line;
}

}  // namespace misrule::controller
