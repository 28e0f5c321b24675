#include "cli/settings.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace misrule::cli {

void add_settings(CLI::App& command, std::vector<std::string>& texts) {
  command.add_option("--set", texts, "NAME=VALUE, what env(\"NAME\") gives in the spec")
      ->allow_extra_args(false);
}

Result<std::vector<std::pair<std::string, std::string>>> parse_settings(
    const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Code::kInvalid, fmt::format("--set '{}': wants NAME=VALUE", text));
    }
    const std::string name = text.substr(0, equals);
    // The last one counts, as it does for every other option.
    std::erase_if(settings, [&name](const auto& earlier) { return earlier.first == name; });
    settings.emplace_back(name, text.substr(equals + 1));
  }
  return settings;
}

}  // namespace misrule::cli
