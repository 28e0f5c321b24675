#include "controller/run/world/namespaces.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "controller/run/world/journal.h"
#include "controller/run/world/packet.h"

namespace misrule::controller {
namespace {

struct PrivateMount {
  const char* path;
  const char* options;
};

// What servers leave behind outside their data directories: sockets, locks, shared memory.
constexpr std::array<PrivateMount, 3> kPrivateMounts = {{
    {"/tmp", "mode=1777"},
    {"/run", "mode=0755"},
    {"/dev/shm", "mode=1777"},
}};

bool lies_below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// A path with a detached copy of what is mounted there.
struct KeptTree {
  std::string path = {};
  UniqueFd tree = {};
};

Result<std::vector<KeptTree>> detach_trees(const std::vector<std::string>& paths) {
  std::vector<KeptTree> trees;
  for (const std::string& path : paths) {
    UniqueFd tree(
        ::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (!tree.valid())
      return std::unexpected(errno_error(fmt::format("open_tree {}", path), errno));
    trees.push_back({.path = path, .tree = std::move(tree)});
  }
  return trees;
}

Status attach_tree(const KeptTree& kept) {
  struct stat what = {};
  if (::fstat(kept.tree.fd(), &what) != 0) return std::unexpected(errno_error(kept.path, errno));
  std::error_code error;
  const std::filesystem::path path(kept.path);
  if (S_ISDIR(what.st_mode)) {
    std::filesystem::create_directories(path, error);
  } else {
    std::filesystem::create_directories(path.parent_path(), error);
    const UniqueFd file(::open(kept.path.c_str(), O_CREAT | O_CLOEXEC | O_WRONLY, 0644));
  }
  if (::move_mount(kept.tree.fd(), "", AT_FDCWD, kept.path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return std::unexpected(errno_error(fmt::format("move_mount {}", kept.path), errno));
  }
  return {};
}

Status mount_private(const PrivateMount& mount_point, const std::vector<std::string>& visible) {
  // A path that is the mount point itself is in use: it stays shared.
  if (std::ranges::find(visible, mount_point.path) != visible.end()) return {};
  if (::access(mount_point.path, F_OK) != 0) return {};
  MISRULE_TRY(const std::vector<KeptTree> trees,
              detach_trees(outermost_below(visible, mount_point.path)));
  if (::mount("tmpfs", mount_point.path, "tmpfs", MS_NOSUID | MS_NODEV, mount_point.options) != 0) {
    return std::unexpected(errno_error(fmt::format("mounting {}", mount_point.path), errno));
  }
  for (const KeptTree& kept : trees) MISRULE_TRY_VOID(attach_tree(kept));
  return {};
}

Status raise_loopback() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  std::memcpy(request.ifr_name, "lo", sizeof "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (!socket.valid() || ::ioctl(socket.fd(), SIOCSIFFLAGS, &request) != 0) {
    return std::unexpected(errno_error("bringing the loopback up", errno));
  }
  return {};
}

Status write_setting(const char* path, const std::string& value) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return std::unexpected(errno_error(path, errno));
  auto written = write_all(file.fd(), value);
  if (!written) return std::unexpected(std::move(written).error().with(path));
  return {};
}

Status furnish_network(const WorldOrder& order) {
  MISRULE_TRY_VOID(raise_loopback());
  // A declared port may lie in the ephemeral range (50051), and below 1024 for a service without
  // root.
  MISRULE_TRY_VOID(write_setting("/proc/sys/net/ipv4/ip_local_reserved_ports",
                                 fmt::format("{}\n", fmt::join(order.ports, ","))));
  return write_setting("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0\n");
}

/// What services keep in a test is thrown away with it: memory spares each test the disk. Where it
/// cannot be had, the same folder on the disk serves.
void mount_data_folder(const WorldOrder& order) {
  const std::string folder = world_data_folder(order.id);
  ::mkdir(folder.c_str(), 0755);
  ::mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
}

}  // namespace

void release_world_folder(const std::string& id) {
  ::umount2(world_data_folder(id).c_str(), MNT_DETACH);
}

unsigned long long world_clone_flags(const WorldOrder& order) {
  unsigned long long flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
  if (!order.host_network) flags |= CLONE_NEWNET;
  return flags;
}

std::vector<std::string> outermost_below(const std::vector<std::string>& paths,
                                         const std::string& mount_point) {
  std::vector<std::string> sorted;
  for (const std::string& path : paths) {
    if (lies_below(path, mount_point)) sorted.push_back(path);
  }
  std::ranges::sort(sorted);
  std::vector<std::string> outermost;
  for (std::string& path : sorted) {
    const auto covers = [&path](const std::string& kept) {
      return kept == path || lies_below(path, kept);
    };
    if (std::ranges::none_of(outermost, covers)) outermost.push_back(std::move(path));
  }
  return outermost;
}

Status furnish_world(const WorldOrder& order) {
  ::umask(022);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return std::unexpected(errno_error("making mounts private", errno));
  }
  for (const PrivateMount& mount_point : kPrivateMounts) {
    MISRULE_TRY_VOID(mount_private(mount_point, order.visible));
  }
  mount_data_folder(order);
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return std::unexpected(errno_error("mounting /proc", errno));
  }
  if (!order.host_network) MISRULE_TRY_VOID(furnish_network(order));
  // By path again: the old directory may lie below a mount point that is now covered.
  if (!order.directory.empty() && ::chdir(order.directory.c_str()) != 0) {
    return std::unexpected(errno_error(fmt::format("entering {}", order.directory), errno));
  }
  return {};
}

}  // namespace misrule::controller
