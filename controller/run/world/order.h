#pragma once

// What a world is to be, and what its processes say to each other: the packets' contents.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace misrule::controller {

/// A world, as the coordinator orders it from the nursery.
struct WorldOrder {
  std::string id = {};         ///< Unique on the machine; the name of its journal folder.
  std::string payload = {};    ///< For the worker alone.
  std::string directory = {};  ///< Where its processes start; absolute.
  std::vector<std::string> visible = {};  ///< Absolute paths that must lie where they are.
  std::vector<std::uint16_t> ports = {};  ///< Declared ones: never handed out as ephemeral.
  bool host_network = false;
};

std::string order_to_json(const WorldOrder& order);
Result<WorldOrder> order_from_json(std::string_view text);

/// A process that the worker wants. Descriptors travel beside it: standard output, standard error,
/// and one to be inherited as number `inherited_fd` where that is not -1.
struct SpawnOrder {
  std::uint64_t token = 0;
  std::vector<std::string> argv = {};  ///< argv[0] is a path.
  std::vector<std::string> env = {};   ///< "NAME=value"
  std::string cwd = {};
  int inherited_fd = -1;
};

/// From the worker to PID 1. Exactly one of them is set.
struct InitRequest {
  std::optional<SpawnOrder> spawn = {};
  int kill_pid = 0;
  int signal = 0;
  bool keep = false;  ///< Outlive the coordinator.
};

std::string request_to_json(const InitRequest& request);
Result<InitRequest> request_from_json(std::string_view text);

/// The token by which PID 1 says that the world is kept.
inline constexpr std::uint64_t kKeptToken = 1;
/// The first that a spawn may have.
inline constexpr std::uint64_t kFirstSpawnToken = 2;

/// From PID 1 to the worker: `token` was spawned as `pid`, or `pid` exited with `status` (as
/// waitpid says).
struct InitReport {
  std::uint64_t token = 0;  ///< 0: an exit.
  int pid = 0;
  int status = 0;
  bool was_told_to_end = false;  ///< By PID 1, because the run was interrupted.
  std::string error = {};        ///< Why it could not be forked.
};

std::string report_to_json(const InitReport& report);
Result<InitReport> report_from_json(std::string_view text);

}  // namespace misrule::controller
