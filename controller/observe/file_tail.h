#pragma once

// The lines that a service writes to a file, as events, through rotation and truncation.
//
// What stood in the file before the test is not told. A file is looked at, not listened to: what
// comes and goes between two looks is lost to everybody who follows a file, and an event says so.
// Not seen: a file that is truncated twice between two looks by who keeps it open all the time.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "controller/observe/line_decoder.h"
#include "controller/observe/line_splitter.h"
#include "controller/observe/observer.h"
#include "controller/observe/path_watch.h"
#include "controller/observe/service_output.h"

namespace misrule::controller {

class FileTail final : public Observer {
 public:
  struct Parts {
    std::string service = {};
    std::string path = {};  ///< As the spec gives it.
    LineDecoder decoder = {};
    model::EventSink& sink;
    /// Where the file is; nothing while nobody knows.
    std::function<std::optional<std::string>()> locate = {};
    bool is_fresh = false;  ///< Its folder is the test's own: nothing there is older.
    OutputLimits limits = {};
  };
  /// From here on, whether the file exists or not.
  static std::unique_ptr<FileTail> start(Parts parts);
  ~FileTail() override;

  Status barrier(TimePoint deadline) override;
  Status status() const override;
  Status finish() override;
  ObserverLag lag() const override;
  std::string note() const override;

 private:
  /// A file that was found at the path, open.
  struct Followed {
    UniqueFd file = {};
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t offset = 0;     ///< Up to here it is read.
    std::string last_read = {};  ///< The bytes before that: whoever writes anew changes them.
    LineSplitter splitter = {};
  };

  explicit FileTail(Parts parts);
  void run();
  void look();
  void pause(std::unique_lock<std::mutex>& lock);
  Status open_latest(const std::string& path, PathWatch::News& news);
  enum class Found : std::uint8_t { kNothing, kKnown, kOther };
  Result<Found> open_at(const std::string& path);
  void compare(const PathWatch::News& news, unsigned opened);
  void tell_gap(const char* why);
  /// Whether it was written anew, from its beginning.
  bool read_all(Followed& followed);
  bool was_written_anew(const Followed& followed, std::int64_t size) const;
  void restart(Followed& followed);
  void take_line(std::string_view line);

  Parts parts_;
  OutputBudget budget_;

  mutable std::mutex mutex_ = {};
  std::vector<Followed> followed_ = {};  ///< The latest last; those before it are renamed or gone.
  PathWatch watch_ = {};
  UniqueFd woken_;
  unsigned untold_ = 0;        ///< Files that were opened before the kernel told of them,
  unsigned untold_looks_ = 0;  ///< and for how many looks it still may.
  unsigned gaps_ = 0;          ///< Told of.
  bool is_first_look_ = true;
  std::uint64_t lines_ = 0;
  Status status_ = {};
  bool ending_ = false;
  std::thread thread_ = {};
};

}  // namespace misrule::controller
