#pragma once

// A local server that stands in for an image. Each one is a folder member of native/ and one line
// in the table of stand_ins.cc.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "controller/launch/service_plan.h"

namespace misrule::controller::native {

/// An image reference without its registry: "docker.io/library/postgres:16" is {"postgres", "16"}.
struct ImageName {
  std::string name = {};
  std::string tag = {};
};
ImageName parse_image(std::string_view image);

class StandIn {
 public:
  virtual ~StandIn() = default;

  /// The image that it stands in for: "postgres".
  virtual std::string_view image() const = 0;
  /// "PostgreSQL 15.20 (/usr/lib/postgresql/15/bin)", of several all; kNotFound says which package
  /// to install.
  virtual Result<std::string> find_server() const = 0;
  /// Completes a plan: user, note, how to reach it. Fails on environment that the image refuses
  /// too.
  virtual Status plan(ServicePlan& plan) const = 0;
  /// Keeps what prepare() makes for this plan from being tidied away; may be invalid.
  virtual Result<UniqueFd> hold(const ServicePlan& /*plan*/) const { return UniqueFd(); }
  virtual Status prepare(const ServicePlan& plan, const Progress& progress) const = 0;
  virtual Result<ProcessPlan> materialise(const ServicePlan& plan,
                                          const std::string& world_folder) const = 0;
};

/// Every stand-in there is.
std::vector<const StandIn*> all_stand_ins();
/// nullptr if nothing stands in for that image.
const StandIn* find_stand_in(std::string_view image);

}  // namespace misrule::controller::native
