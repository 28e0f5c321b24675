#pragma once

// What became of a path since somebody last asked? The kernel tells what a look at the path cannot:
// files that came and went again, and how often the one there was opened by who writes.

#include <string>

#include "base/unique_fd.h"

namespace misrule::controller {

class PathWatch {
 public:
  struct News {
    unsigned arrivals = 0;  ///< Files that came to stand at the path.
    int writers = 0;        ///< Of the file: opened, and not closed again without a right to write.
    bool is_cut = false;    ///< More than the kernel remembers.
  };

  PathWatch();

  /// Readable when there is something to take.
  int fd() const { return events_.fd(); }
  /// What comes to stand at the path, from now on; again at each look, for its folder may be
  /// another.
  void follow(const std::string& path);
  /// The file that stands there, open: from now on.
  void follow_file(int file);
  /// Since the last call.
  News take();

 private:
  void take_events(std::string_view bytes, News& news) const;

  UniqueFd events_;
  std::string name_ = {};  ///< Within its folder.
  int folder_ = -1;        ///< Watches.
  int file_ = -1;
};

}  // namespace misrule::controller
