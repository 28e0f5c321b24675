#pragma once

// Which server, role and database a connection string in a service's environment names.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace misrule::controller {

/// Of "postgres://user:password@host:port/database?options".
struct Dsn {
  std::string scheme = {};
  std::string user = {};
  std::string password = {};
  std::string host = {};
  std::uint16_t port = 0;  ///< 0: not said.
  std::string database = {};
};

/// nullopt for anything that is not a URL with a host. Percent-encoding is undone.
std::optional<Dsn> parse_dsn(std::string_view text);

}  // namespace misrule::controller
