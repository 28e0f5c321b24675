#pragma once

// Making a PostgreSQL cluster once: initdb, roles, databases, seed. What is made is never started
// from where it lies; tests start clones of it.

#include <cstddef>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "controller/launch/native/postgres_server.h"
#include "controller/launch/native/postgres_settings.h"
#include "controller/launch/service_plan.h"

namespace misrule::controller::native {

/// Where the cluster of these settings lies, made or not: it depends on the version and on
/// everything that the settings say.
std::string cluster_folder(const std::string& state_folder, const PostgresServer& server,
                           const PostgresSettings& settings);

/// Makes it unless it is there. Concurrent runs wait for each other; a maker that is killed leaves
/// nothing that a later one mistakes for a cluster.
Status ensure_cluster(const std::string& folder, const PostgresServer& server,
                      const PostgresSettings& settings, const Progress& progress);

/// So many stay, those used last and those in use; making one more removes the others.
inline constexpr std::size_t kClustersKept = 10;

/// This cluster, made or not, is in use for as long as the descriptor lives.
Result<UniqueFd> hold_cluster(const std::string& folder);

}  // namespace misrule::controller::native
