#include "proxy/net/tls_openssl.h"

#include <array>

#include <openssl/err.h>

namespace misrule::proxy {

std::string openssl_reason(std::string_view otherwise) {
  const unsigned long error = ::ERR_peek_error();
  const char* reason = ::ERR_reason_error_string(error);
  std::string text(otherwise);
  if (reason != nullptr) {
    text = reason;
  } else if (error != 0) {
    std::array<char, 256> words{};
    ::ERR_error_string_n(error, words.data(), words.size());
    text = words.data();
  }
  ::ERR_clear_error();
  return text;
}

std::unexpected<Error> openssl_failure(std::string_view what) {
  return fail(Code::kInvalid, fmt::format("{}: {}", what, openssl_reason("it cannot be used")));
}

}  // namespace misrule::proxy
