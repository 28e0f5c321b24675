#pragma once

// Who makes a call: thread, process, place in the process tree; and duplicates of its descriptors.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sys/types.h>

#include "base/result.h"
#include "base/unique_fd.h"

namespace misrule::interceptor {

/// The process of a thread; nothing if the thread is gone.
std::optional<pid_t> process_of(pid_t tid);

/// A duplicate of another process's descriptor: the same open description.
Result<UniqueFd> duplicate_descriptor(pid_t tid, int descriptor);

/// Names processes by their place in the tree, for decisions that repeat: "api", "api/worker",
/// "api/worker#1". The k-th child of a name is the k-th that was seen to make a call.
class ProcessTree {
 public:
  explicit ProcessTree(std::string root) : root_(std::move(root)) {}

  const std::string& path_of(pid_t process);

 private:
  struct Known {
    std::uint64_t start_time = 0;  // Tells a process from a later one with its number.
    std::string path = {};
  };
  static constexpr std::size_t kKnownMax = 65536;

  std::string root_;
  std::unordered_map<pid_t, Known> known_ = {};
  std::unordered_map<std::string, std::uint64_t> siblings_ = {};
  std::string unknown_ = "?";
};

}  // namespace misrule::interceptor
