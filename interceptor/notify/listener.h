#pragma once

// One seccomp listener: receiving the calls that wait, and answering them.

#include <array>
#include <cstdint>
#include <vector>

#include <sys/types.h>

#include "base/unique_fd.h"

namespace misrule::interceptor {

/// A call that waits for its answer. `tid` is a thread's id in our pid namespace; it may end, and
/// its number may be another's, at any time: what was read about it counts only if the id is still
/// valid afterwards.
struct Notification {
  std::uint64_t id = 0;
  pid_t tid = 0;
  int number = 0;
  std::array<std::uint64_t, 6> args = {};

  int descriptor(std::size_t arg) const { return static_cast<int>(args[arg]); }
};

class Listener {
 public:
  explicit Listener(UniqueFd fd);

  int fd() const { return fd_.fd(); }

  /// Only after poll said readable: it blocks otherwise, whatever the descriptor's flags. False:
  /// that call is gone (its thread was killed), which ends nothing.
  bool receive(Notification& out);

  bool is_valid(std::uint64_t id) const;

  // Answers. False: the call is gone.
  bool let_go_on(std::uint64_t id);
  bool fail_with(std::uint64_t id, int error);
  bool succeed(std::uint64_t id);

  /// The waker yields its core to the supervisor: a third of the price per call. False: not here.
  bool enable_sync_wake_up();

 private:
  bool answer(std::uint64_t id, int error, std::uint32_t flags);

  UniqueFd fd_;
  std::vector<std::uint64_t> received_;  // Of the size that this kernel wants; aligned.
  std::vector<std::uint64_t> response_;
};

}  // namespace misrule::interceptor
