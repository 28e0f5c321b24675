#pragma once

// A local Redis in the place of the image `redis`: its command is redis-server with the arguments
// that the service gives (https://hub.docker.com/_/redis).

#include <string>
#include <string_view>

#include "controller/launch/native/stand_in.h"

namespace misrule::controller::native {

class RedisStandIn final : public StandIn {
 public:
  std::string_view image() const override { return "redis"; }
  Result<std::string> find_server() const override;
  Status plan(ServicePlan& plan) const override;
  Status prepare(const ServicePlan& plan, const Progress& progress) const override;
  Result<ProcessPlan> materialise(const ServicePlan& plan,
                                  const std::string& world_folder) const override;
};

}  // namespace misrule::controller::native
