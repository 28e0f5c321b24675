#include "interceptor/notify/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace misrule::interceptor {
namespace {

// Also known as PIDFD_THREAD, from kernel 6.9 on.
constexpr unsigned kPidfdThread = O_EXCL;

std::string read_small_file(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return {};
  std::array<char, 4096> bytes = {};
  const ssize_t count = read(file.fd(), bytes.data(), bytes.size());
  return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : std::string{};
}

template <class Number>
Number number_at(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

struct Stat {
  std::string name = {};
  pid_t parent = 0;
  std::uint64_t start_time = 0;
};

// "12 (name) S 1 ...": the name may hold blanks and brackets, so what follows is found from its
// end.
std::optional<Stat> read_stat(pid_t process) {
  const std::string text = read_small_file(fmt::format("/proc/{}/stat", process));
  const auto open_bracket = text.find('(');
  const auto close_bracket = text.rfind(')');
  if (open_bracket == std::string::npos || close_bracket == std::string::npos) return std::nullopt;
  constexpr std::size_t kParent = 1;
  constexpr std::size_t kStartTime = 19;
  std::vector<std::string_view> fields;
  std::string_view rest = std::string_view(text).substr(close_bracket + 1);
  while (fields.size() <= kStartTime) {
    const auto begin = rest.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(begin);
    const auto end = std::min(rest.find(' '), rest.size());
    fields.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return Stat{.name = text.substr(open_bracket + 1, close_bracket - open_bracket - 1),
              .parent = number_at<pid_t>(fields[kParent]),
              .start_time = number_at<std::uint64_t>(fields[kStartTime])};
}

// Of the thread itself where the kernel can, because a leader that has ended has no descriptors any
// more; else of its process, because pidfd_open refuses any other thread.
UniqueFd open_pidfd(pid_t tid) {
  UniqueFd out(static_cast<int>(syscall(SYS_pidfd_open, tid, kPidfdThread)));
  if (out.valid() || errno != EINVAL) return out;
  const auto process = process_of(tid);
  if (process) out.reset(static_cast<int>(syscall(SYS_pidfd_open, *process, 0)));
  return out;
}

}  // namespace

std::optional<pid_t> process_of(pid_t tid) {
  const std::string status = read_small_file(fmt::format("/proc/{}/status", tid));
  const auto at = status.find("\nTgid:\t");
  if (at == std::string::npos) return std::nullopt;
  return number_at<pid_t>(std::string_view(status).substr(at + 7));
}

Result<UniqueFd> duplicate_descriptor(pid_t tid, int descriptor) {
  const UniqueFd pidfd = open_pidfd(tid);
  if (!pidfd.valid()) return std::unexpected(errno_error("pidfd_open", errno));
  UniqueFd out(static_cast<int>(syscall(SYS_pidfd_getfd, pidfd.fd(), descriptor, 0)));
  if (!out.valid()) return std::unexpected(errno_error("pidfd_getfd", errno));
  return out;
}

const std::string& ProcessTree::path_of(pid_t process) {
  const auto stat = read_stat(process);
  if (!stat) return unknown_;
  auto& known = known_[process];
  if (!known.path.empty() && known.start_time == stat->start_time) return known.path;
  if (known_.size() > kKnownMax) {
    known_.clear();
    return unknown_;
  }
  const auto parent = known_.find(stat->parent);
  const bool has_parent = parent != known_.end() && !parent->second.path.empty();
  std::string path = (has_parent ? parent->second.path : root_) + "/" + stat->name;
  const std::uint64_t index = siblings_[path]++;
  if (index > 0) path += fmt::format("#{}", index);
  known = {.start_time = stat->start_time, .path = std::move(path)};
  return known.path;
}

}  // namespace misrule::interceptor
