#pragma once

// OpenSSL's objects with owners, and its errors as words.

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/result.h"

namespace misrule::proxy {

struct OpenSslFree {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { ::X509_free(certificate); }
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { ::SSL_free(ssl); }
  void operator()(BIO* bio) const { ::BIO_free_all(bio); }
};
using PrivateKey = std::unique_ptr<EVP_PKEY, OpenSslFree>;
using Certificate = std::unique_ptr<X509, OpenSslFree>;
using TlsContext = std::unique_ptr<SSL_CTX, OpenSslFree>;

/// The oldest error of this thread in OpenSSL's words, all of them forgotten; `otherwise` if there
/// is none.
std::string openssl_reason(std::string_view otherwise);
std::unexpected<Error> openssl_failure(std::string_view what);

}  // namespace misrule::proxy
