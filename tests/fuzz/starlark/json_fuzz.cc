// Any bytes as JSON: what is read is written so that it reads the same.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "spec/starlark/starlark.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace misrule::star;
  Runtime runtime({});
  const Runtime::Enter entered(runtime);
  const auto value = decode_json(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!value) {
    MISRULE_CHECK(!value.error().what.empty());
    return 0;
  }
  // Deeper than encode or compare go, an error is right.
  try {
    const auto again = decode_json(encode_json(*value));
    MISRULE_CHECK(again.has_value());
    MISRULE_CHECK(again->equals(*value));
  } catch (const EvalError& error) {
    MISRULE_CHECK(error.diagnostic().code == code::kLimit);
  }
  return 0;
}
