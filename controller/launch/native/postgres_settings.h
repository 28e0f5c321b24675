#pragma once

// What the image's environment asks of a PostgreSQL cluster.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "controller/launch/service_plan.h"

namespace misrule::controller::native {

struct PostgresSettings {
  std::string user = "postgres";
  std::string password = {};
  std::string database = {};
  std::string auth_method = "scram-sha-256";
  std::vector<std::string> initdb_args = {};
  /// Of DSNs in other services: roles that log in without a password, and databases that they own.
  std::vector<std::pair<std::string, std::string>> roles_and_databases = {};
  std::string seed_file = {};
  std::string seed_sql = {};  ///< The text of the seed file; empty: none.

  /// Everything that makes two clusters differ, as text to hash.
  std::string fingerprint() const;
};

/// Fails as the image does, without POSTGRES_PASSWORD or trust.
Result<PostgresSettings> postgres_settings(const ServicePlan& plan);

/// The port of the service's postgres interface; 5432 without one.
std::uint16_t postgres_port(const model::Service& service);

}  // namespace misrule::controller::native
