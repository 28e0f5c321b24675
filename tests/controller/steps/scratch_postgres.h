#pragma once

// A PostgreSQL server of this test alone, below /var/lib/misrule; gone with the object.

#include <cstdint>
#include <memory>
#include <string>

namespace misrule::controller {

class ScratchPostgres {
 public:
  /// Null if there is no server to start; `why` says what is missing.
  static std::unique_ptr<ScratchPostgres> start(std::string& why);
  ~ScratchPostgres();

  std::uint16_t port() const { return port_; }

 private:
  ScratchPostgres() = default;

  std::string folder_;
  std::uint16_t port_ = 0;
  bool running_ = false;
};

}  // namespace misrule::controller
