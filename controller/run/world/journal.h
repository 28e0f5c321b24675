#pragma once

// What a world leaves on disk, and how the next run finds what a killed one left: one folder per
// world below the state directory, locked for as long as any process of its run lives.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "base/unique_fd.h"

namespace misrule::controller {

/// /var/lib/misrule, or MISRULE_STATE_DIR: caches and worlds. Services' users must be able to reach
/// it.
std::string state_directory();
/// Below it: worlds/ID.
std::string world_folder(const std::string& id);
/// In it: what services keep. Seen as it is only from inside the world.
std::string world_data_folder(const std::string& id);

/// Makes the world's folder and locks it. Processes that inherit the descriptor share the lock; it
/// ends with the last of them.
Result<UniqueFd> create_world_folder(const std::string& id);
/// With everything in it; does nothing where it is gone already.
void remove_world_folder(const std::string& id);

/// Removes the folders that no living run holds. How many there were.
std::size_t sweep_world_folders();

/// Removes what killed makers left in the cache: NAME.making, unless somebody holds NAME.lock.
void sweep_unfinished_caches();

/// A process that can be named across runs: a pid alone may be used again.
struct ProcessName {
  pid_t pid = 0;
  std::uint64_t started = 0;  ///< Clock ticks since boot.
};

std::optional<ProcessName> name_process(pid_t pid);
bool is_alive(const ProcessName& process);

/// PID 1 of a world, as the machine sees it.
Status record_pid_one(const std::string& id, const ProcessName& process);
std::optional<ProcessName> recorded_pid_one(const std::string& id);
void record_kept(const std::string& id);
bool is_recorded_kept(const std::string& id);
/// Worlds whose id starts with `prefix` and that are kept.
std::vector<std::string> find_kept_worlds(const std::string& prefix);

}  // namespace misrule::controller
