#pragma once

// The file of a log: lines go to memory that outlives a killed process, and from there to the file,
// many at once.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "controller/events/shared_log.h"

namespace misrule::controller {

/// Thread-safe.
class LogFile {
 public:
  /// `file` is open for appending. What another process appends to it meanwhile is not disturbed;
  /// only who has claimed `shared` writes many lines at once and can read them again.
  LogFile(UniqueFd file, SharedLog shared);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile();

  /// Where the line can be read again; nothing if it cannot.
  std::optional<std::uint64_t> append(std::string_view line);
  Result<std::string> read(std::uint64_t place);
  /// The first failure to write, if any, once all is written.
  Status status();

 private:
  using Lock = std::unique_lock<std::mutex>;

  void add(Lock& lock, std::string_view line);
  /// Sealed lines, if there are any, by whoever comes first; others may add lines meanwhile.
  void write_sealed(Lock& lock);
  void write_all(Lock& lock);
  void keep_writing(const std::stop_token& stop);

  const UniqueFd file_;
  SharedLog shared_;
  const bool claimed_;
  bool readable_ = false;  ///< A file, open for reading, too, and all of it by this process.
  std::mutex mutex_;
  std::condition_variable_any waiting_;
  std::condition_variable written_;
  bool writing_ = false;   ///< Sealed lines, without the lock.
  std::uint64_t end_ = 0;  ///< Of what is in the file or waits for it.
  Status status_ = {};
  std::jthread writer_;  // Last: it ends before what it uses.
};

/// All of `bytes`, however the system splits them.
Status write_whole(int file, std::string_view bytes);

}  // namespace misrule::controller
