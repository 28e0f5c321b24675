#include "controller/observe/path_watch.h"

#include <array>
#include <cstring>
#include <string_view>

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace misrule::controller {

PathWatch::PathWatch() : events_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}

void PathWatch::follow(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  name_ = path.substr(slash == std::string::npos ? 0 : slash + 1);
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int watch = ::inotify_add_watch(events_.fd(), folder.c_str(),
                                        IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM);
  if (folder_ >= 0 && watch != folder_) ::inotify_rm_watch(events_.fd(), folder_);
  folder_ = watch;
}

void PathWatch::follow_file(int file) {
  if (file_ >= 0) ::inotify_rm_watch(events_.fd(), file_);
  // Its path may be another's by now.
  const std::string path = fmt::format("/proc/self/fd/{}", file);
  file_ = ::inotify_add_watch(events_.fd(), path.c_str(), IN_OPEN | IN_CLOSE);
}

PathWatch::News PathWatch::take() {
  News news;
  std::array<char, 16384> bytes = {};
  for (;;) {
    const ssize_t got = ::read(events_.fd(), bytes.data(), bytes.size());
    if (got <= 0) return news;
    take_events({bytes.data(), static_cast<std::size_t>(got)}, news);
  }
}

void PathWatch::take_events(std::string_view bytes, News& news) const {
  while (bytes.size() >= sizeof(inotify_event)) {
    inotify_event event = {};
    std::memcpy(&event, bytes.data(), sizeof(event));
    const std::string_view padded = bytes.substr(sizeof(event), event.len);
    const std::string_view name = padded.substr(0, padded.find('\0'));
    bytes.remove_prefix(std::min(bytes.size(), sizeof(event) + event.len));
    if ((event.mask & IN_Q_OVERFLOW) != 0) news.is_cut = true;
    const bool arrived = (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
    if (event.wd == folder_ && arrived && name == name_) ++news.arrivals;
    if (event.wd != file_) continue;
    if ((event.mask & IN_OPEN) != 0) ++news.writers;
    if ((event.mask & IN_CLOSE_NOWRITE) != 0) --news.writers;
  }
}

}  // namespace misrule::controller
