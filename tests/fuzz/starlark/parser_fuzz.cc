// Any bytes as a file: lexer, parser, resolver and the texts of what is wrong.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "spec/starlark/starlark.h"

namespace {

using namespace misrule::star;

// Every span lies in the file, or it could not be shown.
void check_problem(const Diagnostic& problem, std::size_t size) {
  MISRULE_CHECK(!problem.message.empty());
  MISRULE_CHECK(problem.at.lo <= problem.at.hi && problem.at.hi <= size);
  const std::string shown = render(problem, false);
  MISRULE_CHECK(shown.find('\x1b') == std::string::npos);
  MISRULE_CHECK(!to_line(problem).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string source(reinterpret_cast<const char*>(data), size);
  Runtime runtime({});
  for (const Diagnostic& problem : runtime.check("fuzz.star", source)) {
    check_problem(problem, size);
  }
  return 0;
}
