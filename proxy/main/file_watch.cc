#include "proxy/main/file_watch.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>

#include <sys/inotify.h>
#include <unistd.h>

namespace misrule::proxy {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kMask =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM;
/// As many links as the kernel follows.
constexpr int kLinksMax = 40;

}  // namespace

Result<FileWatch> FileWatch::start(const std::string& path) {
  UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd.valid()) return std::unexpected(errno_error("watching " + path, errno));
  std::error_code error;
  FileWatch watch(std::move(fd), fs::absolute(path, error).lexically_normal().string());
  watch.watch_way();
  return watch;
}

void FileWatch::watch_name(const std::string& folder, const std::string& name) {
  const int watch = ::inotify_add_watch(fd_.fd(), folder.c_str(), kMask | IN_ONLYDIR);
  if (watch < 0) return;
  folders_[watch].path = folder;
  folders_[watch].names.insert(name);
}

void FileWatch::watch_way() {
  std::deque<fs::path> rest;
  for (const fs::path& part : fs::path(path_).relative_path()) rest.push_back(part);
  fs::path at = "/";
  int links = 0;
  while (!rest.empty()) {
    const fs::path name = rest.front();
    rest.pop_front();
    std::error_code error;
    const fs::path target = fs::read_symlink(at / name, error);
    const bool is_link = !error && ++links <= kLinksMax;
    if (is_link || rest.empty()) watch_name(at.string(), name.string());
    if (!is_link) {
      at = (at / name).lexically_normal();
      continue;
    }
    if (target.is_absolute()) at = "/";
    std::deque<fs::path> way;
    for (const fs::path& part : target.relative_path()) way.push_back(part);
    rest.insert(rest.begin(), way.begin(), way.end());
  }
}

bool FileWatch::matters(const inotify_event& event, const std::string& name) const {
  if ((event.mask & IN_Q_OVERFLOW) != 0) return true;
  const auto folder = folders_.find(event.wd);
  if (folder == folders_.end() || !folder->second.names.contains(name)) return false;
  if ((event.mask & IN_CREATE) == 0) return true;
  // A file that is being written tells when it is closed; until then it is half a file.
  std::error_code error;
  return fs::is_symlink(fs::path(folder->second.path) / name, error);
}

bool FileWatch::take_changes() {
  alignas(inotify_event) std::array<char, 16384> buffer;
  bool changed = false;
  for (;;) {
    const ssize_t got = ::read(fd_.fd(), buffer.data(), buffer.size());
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string name = event.len > 0 ? buffer.data() + at + sizeof event : "";
      changed = changed || matters(event, name);
      if ((event.mask & IN_IGNORED) != 0) folders_.erase(event.wd);
      at += sizeof event + event.len;
    }
  }
  if (changed) watch_way();
  return changed;
}

}  // namespace misrule::proxy
