#pragma once

// Where the authority of a proxy that stands alone lies: a folder for its owner alone, gone when
// the process ends.

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace misrule::proxy {

class AuthorityFolder {
 public:
  /// With a new authority in it, whose certificate is copied to `outs` as well.
  static Result<AuthorityFolder> make(const std::vector<std::string>& outs);
  AuthorityFolder() = default;
  ~AuthorityFolder();
  AuthorityFolder(AuthorityFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  AuthorityFolder& operator=(AuthorityFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }

  /// Empty if there is none.
  const std::string& path() const { return path_; }
  std::string certificate() const { return path_ + "/ca.pem"; }

 private:
  explicit AuthorityFolder(std::string path) : path_(std::move(path)) {}
  std::string path_ = {};
};

}  // namespace misrule::proxy
