// Any bytes as a spec that runs, with little memory and few steps: it ends, and the runtime with
// it.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "spec/starlark/starlark.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace misrule::star;
  Runtime runtime({.limits = {.heap_bytes_max = std::size_t{32} << 20,
                              .repr_bytes_max = std::size_t{1} << 16,
                              .int_bits_max = 1U << 12}});
  Thread thread(runtime, "fuzz", {.steps_max = 20000, .call_depth_max = 100});
  std::string source(reinterpret_cast<const char*>(data), size);
  const auto module = runtime.run(thread, "fuzz.star", source);
  MISRULE_CHECK(thread.frames().empty());
  if (!module) {
    MISRULE_CHECK(!module.error().problems.empty());
    for (const Diagnostic& problem : module.error().problems) {
      MISRULE_CHECK(problem.code != code::kInternal);
      MISRULE_CHECK(!render(problem, true).empty());
      MISRULE_CHECK(!backtrace(problem).empty());
    }
    return 0;
  }
  const Runtime::Enter entered(runtime);
  for (const std::string_view name : module.value()->names()) {
    const auto value = module.value()->global(name);
    MISRULE_CHECK(value.has_value());
  }
  return 0;
}
