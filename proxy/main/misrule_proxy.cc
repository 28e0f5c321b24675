// misrule-proxy: `misrule proxy` as a program of its own, for sidecars and benchmarks.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/nearest.h"
#include "proxy/standalone.h"

namespace misrule::proxy {
namespace {

constexpr int kWrongUse = 2;
constexpr int kInfrastructure = 3;

/// The option that nobody knows, with the nearest that there is; else what the parser says.
std::string explain(const CLI::App& app, const std::vector<std::string>& words,
                    const CLI::ParseError& error) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const std::string& word : words) {
    const std::string name = word.substr(0, word.find('='));
    const bool is_option = name.starts_with("--") && name.size() > 2;
    if (!is_option || std::ranges::find(known, name) != known.end()) continue;
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    return fmt::format("there is no option {}{}", name, did_you_mean(name, candidates));
  }
  return error.what();
}

int main_with(const std::vector<std::string>& words) {
  StandaloneArguments arguments;
  CLI::App app("A proxy that stands alone: faults by rules, without a spec.", "misrule-proxy");
  add_standalone_options(app, arguments);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::Success& shown) {
    return app.exit(shown);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "misrule-proxy: {}\n'misrule-proxy --help' shows options and examples.\n",
               explain(app, words, error));
    return kWrongUse;
  }
  const Result<int> code = run_standalone(arguments);
  if (code) return *code;
  fmt::print(stderr, "misrule-proxy: {}\n", code.error().what);
  return code.error().code == Code::kIo ? kInfrastructure : kWrongUse;
}

}  // namespace
}  // namespace misrule::proxy

int main(int argc, char** argv) {
  return misrule::proxy::main_with({argv + std::min(argc, 1), argv + argc});
}
