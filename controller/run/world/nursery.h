#pragma once

// The nursery: a single-threaded process, forked by the coordinator once the specs are loaded, that
// forks PID 1 of each world. It has no terminal, so Ctrl-C reaches the coordinator alone.

#include <optional>
#include <string>

#include <sys/types.h>

#include "base/result.h"
#include "base/unique_fd.h"
#include "controller/run/world/order.h"
#include "controller/run/world/pid_one.h"

namespace misrule::controller {

/// What the nursery tells: a world's PID 1 has been forked, could not be, or has ended.
struct NurseryReport {
  std::string id = {};  ///< The world's.
  enum class Kind : std::uint8_t { kStarted, kFailed, kEnded } kind = Kind::kFailed;
  int status = 0;          ///< kEnded: an exit code, or 128 + signal.
  std::string error = {};  ///< kFailed.
  UniqueFd pidfd = {};     ///< kStarted: PID 1.
};

/// The coordinator's side. Ends the nursery when destroyed.
class Nursery {
 public:
  /// Call it before the process has any second thread: what is loaded by then, every worker has.
  static Result<Nursery> start(const WorkerMain& worker);

  Nursery(Nursery&&) = default;
  Nursery& operator=(Nursery&&) = delete;
  ~Nursery();

  /// Descriptors stay the caller's; the world's processes get copies.
  struct Descriptors {
    int stream = -1;
    int events = -1;
    int folder_lock = -1;
  };
  Status order(const WorldOrder& order, const Descriptors& descriptors);
  /// At once, with all its worlds: it does not answer.
  void kill();

  /// Readable when take_report() has something.
  int fd() const { return socket_.fd(); }
  /// Waits for one; nothing when the nursery is gone.
  Result<std::optional<NurseryReport>> take_report();
  pid_t pid() const { return pid_; }

 private:
  Nursery(UniqueFd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}

  UniqueFd socket_;
  pid_t pid_;
};

}  // namespace misrule::controller
