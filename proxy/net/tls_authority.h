#pragma once

// Who vouches for a certificate that nobody gave: an authority of the run's own, and the
// certificates that it signs.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "proxy/net/tls_openssl.h"

namespace misrule::proxy {

/// A certificate with its key.
struct Identity {
  Certificate certificate;
  PrivateKey key;
};

class Authority {
 public:
  /// What make_authority() left in `folder`.
  static Result<std::unique_ptr<Authority>> load(const std::string& folder);

  /// For localhost by all its names and addresses, and for `names`: hosts or addresses.
  Result<Identity> issue(const std::vector<std::string>& names) const;

 private:
  explicit Authority(Identity own) : own_(std::move(own)) {}
  Identity own_;
};

}  // namespace misrule::proxy
