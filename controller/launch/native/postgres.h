#pragma once

// A local PostgreSQL in the place of the image `postgres`, with that image's own environment:
// POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD
// (https://hub.docker.com/_/postgres).

#include <string>
#include <string_view>

#include "controller/launch/native/stand_in.h"

namespace misrule::controller::native {

class PostgresStandIn final : public StandIn {
 public:
  std::string_view image() const override { return "postgres"; }
  Result<std::string> find_server() const override;
  Status plan(ServicePlan& plan) const override;
  Result<UniqueFd> hold(const ServicePlan& plan) const override;
  Status prepare(const ServicePlan& plan, const Progress& progress) const override;
  Result<ProcessPlan> materialise(const ServicePlan& plan,
                                  const std::string& world_folder) const override;
};

}  // namespace misrule::controller::native
