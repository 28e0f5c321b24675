#include "base/result.h"

#include <system_error>

namespace misrule {

Error errno_error(std::string_view what, int error_number) {
  return {.code = Code::kIo,
          .what = std::string(what) + ": " + std::generic_category().message(error_number)};
}

}  // namespace misrule
