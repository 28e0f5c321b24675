#pragma once

// A runtime, a thread and a few words, for tests of the embedding API.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "spec/starlark/starlark.h"

namespace misrule::star::test {

/// Files by name.
class MapLoader final : public Loader {
 public:
  std::map<std::string, std::string> files = {};
  std::vector<std::string> reads = {};

  Result<std::string> canonical(const std::string&, const std::string& path) override {
    return path;
  }
  Result<std::string> read(const std::string& canonical) override {
    reads.push_back(canonical);
    const auto found = files.find(canonical);
    if (found == files.end()) return fail(Code::kNotFound, "no such file");
    return found->second;
  }
};

struct Interpreted {
  explicit Interpreted(Runtime::Options options = {}, ThreadLimits limits = {})
      : runtime(with_loader(std::move(options))), thread(runtime, "test", limits) {
    thread.set_print([this](Thread&, std::string_view line) { printed.emplace_back(line); });
  }

  /// The message of the first error; empty if there was none.
  std::string error_of(const std::string& source) {
    const auto module = runtime.run(thread, "spec.star", source);
    failure.reset();
    if (module) return {};
    failure = module.error();
    return failure->problems.front().message;
  }

  /// repr() of a global after the file ran.
  std::string global(const std::string& source, std::string_view name = "x") {
    const auto module = runtime.run(thread, "spec.star", source);
    if (!module) return "error: " + module.error().problems.front().message;
    const Runtime::Enter entered(runtime);
    const auto value = module.value()->global(name);
    return value ? value->repr() : "unbound";
  }

  MapLoader loader;
  std::vector<std::string> printed;
  std::optional<Failure> failure;
  Runtime runtime;
  Thread thread;

 private:
  Runtime::Options with_loader(Runtime::Options options) {
    options.loader = &loader;
    return options;
  }
};

}  // namespace misrule::star::test
