#pragma once

// When may a file be another one than before?
//
// A file is written again, replaced by a rename, or reached over symbolic links of which one is
// replaced (as Kubernetes does for whole folders). So what is watched is every name on the way: in
// its own folder, and in the folders that links lead to.

#include <map>
#include <set>
#include <string>

#include <sys/inotify.h>

#include "base/result.h"
#include "base/unique_fd.h"

namespace misrule::proxy {

class FileWatch {
 public:
  static Result<FileWatch> start(const std::string& path);

  int fd() const { return fd_.fd(); }
  /// Takes what has been told since; true if the file may have changed. Read it after this.
  bool take_changes();

 private:
  FileWatch(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  void watch_way();
  bool matters(const inotify_event& event, const std::string& name) const;
  void watch_name(const std::string& folder, const std::string& name);

  UniqueFd fd_;
  std::string path_;
  struct Folder {
    std::string path = {};
    std::set<std::string> names = {};  // What matters there.
  };
  std::map<int, Folder> folders_ = {};  // By watch.
};

}  // namespace misrule::proxy
