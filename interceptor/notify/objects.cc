#include "interceptor/notify/objects.h"

#include <array>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "interceptor/notify/process.h"

namespace misrule::interceptor {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

std::string read_link(const std::string& path) {
  std::array<char, PATH_MAX> target = {};
  const ssize_t count = readlink(path.c_str(), target.data(), target.size());
  return count > 0 ? std::string(target.data(), static_cast<std::size_t>(count)) : std::string{};
}

std::string read_link_at(int directory, const std::string& name) {
  std::array<char, PATH_MAX> target = {};
  const ssize_t count = readlinkat(directory, name.c_str(), target.data(), target.size());
  return count > 0 ? std::string(target.data(), static_cast<std::size_t>(count)) : std::string{};
}

// A regular file's name. An unlinked file keeps its last name, but " (deleted)" may also be part of
// a real one. Files that never had a name (memfd, O_TMPFILE) have none here.
std::string file_path(std::string link, const struct stat& status) {
  if (!link.ends_with(kDeleted)) return link;
  struct stat named = {};
  const bool is_name = status.st_nlink > 0 && lstat(link.c_str(), &named) == 0 &&
                       named.st_ino == status.st_ino && named.st_dev == status.st_dev;
  if (is_name) return link;
  link.resize(link.size() - kDeleted.size());
  const std::string_view last = std::string_view(link).substr(link.rfind('/') + 1);
  const bool nameless = link.starts_with("/memfd:") || last.starts_with('#');
  return nameless ? std::string{} : link;
}

FdKind socket_kind(pid_t tid, int descriptor) {
  const auto socket = duplicate_descriptor(tid, descriptor);
  if (!socket) return FdKind::kUnknown;
  int protocol = 0;
  socklen_t size = sizeof(protocol);
  const int result = getsockopt(socket->fd(), SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
  return result == 0 && is_tcp_protocol(protocol) ? FdKind::kTcp : FdKind::kSocket;
}

FdKind mode_kind(mode_t mode) {
  if (S_ISREG(mode)) return FdKind::kFile;
  if (S_ISDIR(mode)) return FdKind::kDirectory;
  if (S_ISFIFO(mode)) return FdKind::kPipe;
  return FdKind::kOther;
}

// "/proc/self" of the process is not ours.
std::string without_self(pid_t tid, const std::string& path) {
  constexpr std::string_view kSelf = "/proc/self/";
  if (!path.starts_with(kSelf)) return path;
  return fmt::format("/proc/{}/{}", tid, path.substr(kSelf.size()));
}

std::string name_of(const UniqueFd& file) {
  return read_link(fmt::format("/proc/self/fd/{}", file.fd()));
}

struct Start {
  UniqueFd directory = {};
  bool is_root = false;
};

// O_PATH: neither waits for a FIFO's other end nor wakes a device.
UniqueFd open_below(const Start& start, const std::string& path) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = start.is_root ? RESOLVE_IN_ROOT : 0;
  return UniqueFd(static_cast<int>(
      syscall(SYS_openat2, start.directory.fd(), path.c_str(), &how, sizeof(how))));
}

Start open_start(pid_t tid, int directory, bool absolute) {
  std::string start = fmt::format("/proc/{}/", tid);
  if (absolute) {
    start += "root";
  } else if (directory == AT_FDCWD) {
    start += "cwd";
  } else {
    start += fmt::format("fd/{}", directory);
  }
  return {.directory = UniqueFd(open(start.c_str(), O_PATH | O_CLOEXEC)), .is_root = absolute};
}

struct Split {
  std::string front = {};
  std::string last = {};
};

Split split_last(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {.front = ".", .last = path};
  return {.front = slash == 0 ? "/" : path.substr(0, slash), .last = path.substr(slash + 1)};
}

std::string join(const std::string& directory, const std::string& name) {
  return directory.ends_with('/') ? directory + name : directory + "/" + name;
}

// A path whose last component does not exist, or is a link to what does not: where it would be
// made.
std::string resolve_missing(pid_t tid, Start start, std::string path) {
  constexpr int kLinksMax = 8;
  for (int links = 0; links < kLinksMax; ++links) {
    const Split split = split_last(path);
    UniqueFd parent = open_below(start, split.front);
    if (!parent.valid()) return {};
    path = read_link_at(parent.fd(), split.last);
    if (path.empty()) return join(name_of(parent), split.last);
    if (path.starts_with('/')) {
      start = open_start(tid, AT_FDCWD, true);
    } else {
      start = {.directory = std::move(parent), .is_root = false};
    }
  }
  return {};
}

// Empty if there is no such file.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real ? real.get() : std::string{};
}

}  // namespace

bool is_tcp_protocol(int protocol) { return protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP; }

Object describe_descriptor(pid_t tid, int descriptor) {
  const std::string link = fmt::format("/proc/{}/fd/{}", tid, descriptor);
  struct stat status = {};
  if (stat(link.c_str(), &status) != 0) return {};
  if (S_ISREG(status.st_mode)) {
    std::string path = file_path(read_link(link), status);
    // What has no name is memory, or a scratch file that no glob means.
    const FdKind kind = path.empty() ? FdKind::kOther : FdKind::kFile;
    return {.kind = kind, .path = std::move(path)};
  }
  if (descriptor <= STDERR_FILENO) return {.kind = FdKind::kStdio};
  if (S_ISSOCK(status.st_mode)) return {.kind = socket_kind(tid, descriptor)};
  const FdKind kind = mode_kind(status.st_mode);
  if (kind == FdKind::kPipe || kind == FdKind::kUnknown) return {.kind = kind};
  std::string path = read_link(link);
  if (!path.starts_with('/')) path.clear();  // "anon_inode:[eventfd]"
  return {.kind = kind, .path = std::move(path)};
}

Object describe_mapping(pid_t tid, std::uint64_t address) {
  std::ifstream maps(fmt::format("/proc/{}/maps", tid));
  std::string line;
  while (std::getline(maps, line)) {
    // "7f00-7f10 rw-s 00000000 08:01 123    /path with blanks"
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    const char* last = line.data() + line.size();
    const auto first = std::from_chars(line.data(), last, begin, 16);
    if (first.ptr == last) continue;
    std::from_chars(first.ptr + 1, last, end, 16);
    if (address < begin || address >= end) continue;
    const auto slash = line.find('/');
    if (slash == std::string::npos) return {.kind = FdKind::kOther};
    return {.kind = FdKind::kFile, .path = line.substr(slash)};
  }
  return {};
}

std::string resolve_path(pid_t tid, int directory, const std::string& path) {
  if (path.empty()) return {};
  const std::string meant = without_self(tid, path);
  Start start = open_start(tid, directory, meant.starts_with('/'));
  if (!start.directory.valid()) return {};
  const UniqueFd whole = open_below(start, meant);
  return whole.valid() ? name_of(whole) : resolve_missing(tid, std::move(start), meant);
}

std::string canonical_glob(const std::string& glob) {
  if (!glob.starts_with('/')) return glob;
  const auto wild = glob.find_first_of("*?\\");
  if (wild == std::string::npos) {
    if (std::string all = real_path(glob); !all.empty()) return all;
  }
  const auto slash = glob.rfind('/', wild);
  const std::string front = real_path(glob.substr(0, slash));
  return front.empty() ? glob : front + glob.substr(slash);
}

}  // namespace misrule::interceptor
