#pragma once

// Which PostgreSQL role and database a connection string in an environment names, and what of it
// the server's own environment does not create.

#include <optional>
#include <string>
#include <string_view>

#include "spec/model/topology.h"

namespace misrule::model {

/// Of "postgres://user:password@host:port/database?options".
struct Dsn {
  std::string user = {};
  std::string password = {};
  std::string host = {};
  std::uint16_t port = 5432;
  std::string database = {};
};

/// The first in a text (the value of a variable may say more than that); percent-encoding is
/// undone.
std::optional<Dsn> find_dsn(std::string_view text);

/// What a client names that is not there; empty: it is.
struct Uncreated {
  std::string role = {};
  std::string database = {};
  bool operator==(const Uncreated&) const = default;
};

/// nullopt also for what is no DSN, or one of another server.
std::optional<Uncreated> uncreated_by(const Service& database, std::string_view value);

/// What is to be said of a variable whose DSN names what no image of the topology creates.
std::optional<std::string> doubt_about_env(const Topology& topology, std::string_view variable,
                                           std::string_view value);
inline constexpr std::string_view kUncreatedHint =
    "a stand-in creates it all the same; POSTGRES_USER= and POSTGRES_DB= make a real image do so";

}  // namespace misrule::model
