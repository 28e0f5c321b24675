#pragma once

// How a new process's namespaces become a world: mounts of its own, a loopback, the declared ports
// kept free. Called by PID 1, once, before anything else runs there.

#include <string>
#include <vector>

#include "base/result.h"
#include "controller/run/world/order.h"

namespace misrule::controller {

/// CLONE_NEW… flags that a world needs.
unsigned long long world_clone_flags(const WorldOrder& order);

/// Makes mounts private, mounts /proc and the private /tmp, /run and /dev/shm, keeps order.visible
/// where it lies, brings `lo` up and enters order.directory.
Status furnish_world(const WorldOrder& order);

/// Lets go of what is mounted in the world's own folder, so that the folder can be removed from
/// inside.
void release_world_folder(const std::string& id);

/// Those of `paths` that lie strictly below `mount_point`, outermost only, sorted.
std::vector<std::string> outermost_below(const std::vector<std::string>& paths,
                                         const std::string& mount_point);

}  // namespace misrule::controller
