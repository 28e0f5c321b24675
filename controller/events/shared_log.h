#pragma once

// What the processes of a run share about the log of a test: the numbers of its events, and the
// lines that are not in its file yet. A worker that is killed leaves both behind.

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace misrule::controller {

/// A handle: copies mean the same memory, which children inherit.
class SharedLog {
 public:
  static constexpr std::size_t kLineBytes = std::size_t{256} << 10U;

  static Result<SharedLog> create();  ///< Before the fork.

  std::uint64_t reserve();         ///< A number: from 1, unique over all processes.
  std::uint64_t reserved() const;  ///< How many so far.
  void reset();                    ///< For the next test, when nobody emits.

  /// One process at a time keeps lines here. False: another one does.
  bool claim();
  void release();
  // By who has claimed it, under its lock, but for sealed(), whose text stays as it is.

  /// False: there is no room, nothing was added.
  bool add_line(std::string_view line);
  std::string_view lines() const;
  /// The lines so far are for the file, and there is room for others. False: those that were sealed
  /// before still are.
  bool seal();
  std::string_view sealed() const;
  void clear_sealed();

  /// Once who had claimed it is gone: writes what it left to the end of `file`, which is open for
  /// reading and appending, less what it had written when it ended.
  Status recover(int file);

 private:
  struct Memory;
  std::shared_ptr<Memory> memory_ = {};
};

}  // namespace misrule::controller
