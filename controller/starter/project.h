#pragma once

// What is known of a system before it has a spec.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace misrule::controller {

struct StarterService {
  std::string name = {};
  std::string variable = {};  ///< In the spec.
  std::string protocol = {};  ///< "postgres", "redis", "http", "tcp"
  std::vector<std::uint16_t> ports = {};
  std::string image = {};
  std::string build = {};  ///< Relative to the spec.
  std::string binary = {};
  std::vector<std::string> args = {};
  std::vector<std::pair<std::string, std::string>> env = {};  ///< With ${NAME:-default} in values.
  std::vector<std::string> depends_on = {};
  std::string health_path = {};  ///< Of a service that answers HTTP; empty: nobody said.
  std::string seed = {};
  std::vector<std::string> command = {};  ///< What stands in for its image or build.
  bool wants_stand_in = false;

  bool is_server() const { return protocol == "postgres" || protocol == "redis"; }
};

/// Something that was not taken over.
struct StarterRemark {
  unsigned line = 0;  ///< Of the compose file; 0: of no line.
  std::string text = {};
  std::string file = {};  ///< Of another file that it brings in; empty: of itself.
};

struct StarterProject {
  std::vector<StarterService> services = {};
  std::vector<StarterRemark> remarks = {};

  const StarterService* find(const std::string& name) const {
    for (const StarterService& service : services) {
      if (service.name == name) return &service;
    }
    return nullptr;
  }
};

}  // namespace misrule::controller
