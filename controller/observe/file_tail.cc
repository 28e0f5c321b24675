#include "controller/observe/file_tail.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

constexpr auto kPause = std::chrono::milliseconds(20);
/// So many renamed files are still read: whoever writes may not know yet.
constexpr std::size_t kFollowedMax = 4;
constexpr std::size_t kRemembered = 64;
constexpr unsigned kGapsMax = 20;
/// A file can be seen a moment before the kernel tells of it.
constexpr unsigned kUntoldLooks = 50;

struct Place {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const Place&) const = default;
};

Place place_of(const struct stat& about) { return {about.st_dev, about.st_ino}; }

}  // namespace

FileTail::FileTail(Parts parts)
    : parts_(std::move(parts)),
      budget_(parts_.limits),
      woken_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      is_first_look_(!parts_.is_fresh) {}

std::unique_ptr<FileTail> FileTail::start(Parts parts) {
  std::unique_ptr<FileTail> tail(new FileTail(std::move(parts)));
  if (tail->watch_.fd() < 0) tail->status_ = std::unexpected(errno_error("inotify_init1", errno));
  {
    const std::scoped_lock lock(tail->mutex_);
    tail->look();
  }
  tail->thread_ = std::thread([made = tail.get()] { made->run(); });
  return tail;
}

FileTail::~FileTail() { static_cast<void>(finish().has_value()); }

void FileTail::run() {
  std::unique_lock lock(mutex_);
  while (!ending_ && status_) {
    look();
    pause(lock);
  }
}

/// Until something is told of the path, or for as long as a line may wait.
void FileTail::pause(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  std::array<pollfd, 2> watched = {pollfd{.fd = watch_.fd(), .events = POLLIN, .revents = 0},
                                   pollfd{.fd = woken_.fd(), .events = POLLIN, .revents = 0}};
  ::poll(watched.data(), watched.size(), static_cast<int>(kPause.count()));
  lock.lock();
}

/// With mutex_ held.
void FileTail::look() {
  if (!status_) return;
  const auto path = parts_.locate();
  if (path) watch_.follow(*path);
  PathWatch::News news = watch_.take();
  for (Followed& followed : followed_) {
    const bool is_latest = &followed == &followed_.back();
    // What the first of two wrote is gone.
    if (read_all(followed) && is_latest && news.writers > 1) {
      tell_gap("it was opened more than once while it was written anew");
    }
  }
  if (!path) return;
  status_ = open_latest(*path, news);
  if (!status_) {
    status_ =
        std::unexpected(Error(status_.error())
                            .with(fmt::format("file(\"{}\") of {}", parts_.path, parts_.service)));
    return;
  }
  if (!followed_.empty()) read_all(followed_.back());
  is_first_look_ = false;
}

/// Again for as long as files come to stand there, so that each is opened or known to be missed.
Status FileTail::open_latest(const std::string& path, PathWatch::News& news) {
  constexpr int kRoundsMax = 10;
  unsigned opened = 0;
  Found found = Found::kNothing;
  for (int round = 0; round < kRoundsMax; ++round) {
    MISRULE_TRY(found, open_at(path));
    if (found == Found::kOther) ++opened;
    const PathWatch::News more = watch_.take();
    news.arrivals += more.arrivals;
    news.is_cut |= more.is_cut;
    if (more.arrivals == 0) break;
  }
  // The one that is followed was away and has come back.
  if (found == Found::kKnown && opened == 0 && news.arrivals > 0) ++opened;
  if (!is_first_look_) compare(news, opened);
  return {};
}

void FileTail::compare(const PathWatch::News& news, unsigned opened) {
  if (opened > 0) {
    untold_looks_ = kUntoldLooks;
  } else if (untold_looks_ > 0) {
    --untold_looks_;
  } else {
    untold_ = 0;
  }
  untold_ += opened;
  const bool is_missed = news.arrivals > untold_;
  untold_ -= std::min(untold_, news.arrivals);
  if (is_missed || news.is_cut) tell_gap("a file was gone from there before it was read");
}

/// One is enough to know that something is missing.
void FileTail::tell_gap(const char* why) {
  if (++gaps_ > kGapsMax) return;
  model::Event event = {.service = parts_.service, .type = "lifecycle"};
  event.set("action", std::string("gap")).set("about", std::string("file"));
  event.set("detail", fmt::format("{} changed faster than it is looked at: {}", parts_.path, why));
  parts_.sink.emit(std::move(event));
}

/// What lies at the path now is the file that is read last.
Result<FileTail::Found> FileTail::open_at(const std::string& path) {
  struct stat there = {};
  if (::stat(path.c_str(), &there) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Found::kNothing;
    return std::unexpected(errno_error("looking for it", errno));
  }
  if (!followed_.empty()) {
    const Followed& latest = followed_.back();
    if (Place{latest.device, latest.inode} == place_of(there)) return Found::kKnown;
  }
  // A pipe would wait for who writes to it.
  if (!S_ISREG(there.st_mode)) return fail(Code::kInvalid, "it is no regular file");
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) {
    if (errno == ENOENT) return Found::kNothing;
    return std::unexpected(errno_error("opening it", errno));
  }
  struct stat opened = {};
  if (::fstat(file.fd(), &opened) != 0) return std::unexpected(errno_error("fstat", errno));
  if (!S_ISREG(opened.st_mode)) return fail(Code::kInvalid, "it is no regular file");
  // It has a place of its own: while another is open, its number is not given anew.
  Followed found = {.file = std::move(file), .device = opened.st_dev, .inode = opened.st_ino};
  if (is_first_look_) found.offset = opened.st_size;
  watch_.follow_file(found.file.fd());
  followed_.push_back(std::move(found));
  if (followed_.size() > kFollowedMax) {
    followed_.front().splitter.finish([this](std::string_view line) { take_line(line); });
    followed_.erase(followed_.begin());
  }
  return Found::kOther;
}

bool FileTail::was_written_anew(const Followed& followed, std::int64_t size) const {
  if (size < followed.offset) return true;
  std::array<char, kRemembered> bytes = {};
  const std::string& known = followed.last_read;
  const auto from = followed.offset - static_cast<std::int64_t>(known.size());
  const ssize_t got = ::pread(followed.file.fd(), bytes.data(), known.size(), from);
  return got >= 0 && std::string_view(bytes.data(), static_cast<std::size_t>(got)) != known;
}

void FileTail::restart(Followed& followed) {
  followed.splitter.finish([this](std::string_view line) { take_line(line); });
  followed.offset = 0;
  followed.last_read.clear();
}

/// Up to where it ended when this began: a service that never pauses must not keep us.
bool FileTail::read_all(Followed& followed) {
  struct stat about = {};
  if (::fstat(followed.file.fd(), &about) != 0) return false;
  const bool is_anew = was_written_anew(followed, about.st_size);
  if (is_anew) restart(followed);
  std::array<char, std::size_t{64} * 1024> buffer;
  while (followed.offset < about.st_size) {
    const auto wanted = std::min<std::int64_t>(about.st_size - followed.offset, buffer.size());
    const ssize_t got = ::pread(followed.file.fd(), buffer.data(), static_cast<std::size_t>(wanted),
                                followed.offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    followed.offset += got;
    followed.last_read.append(bytes.substr(bytes.size() - std::min(bytes.size(), kRemembered)));
    if (followed.last_read.size() > kRemembered) {
      followed.last_read.erase(0, followed.last_read.size() - kRemembered);
    }
    followed.splitter.feed(bytes, [this](std::string_view line) { take_line(line); });
  }
  return is_anew;
}

void FileTail::take_line(std::string_view line) {
  switch (budget_.take_line(line.size())) {
    case OutputBudget::Answer::kRecord: {
      ++lines_;
      model::Event event = {.service = parts_.service, .type = "file"};
      event.set("body", std::string(line)).set("path", parts_.path);
      parts_.decoder.decode(line, event);
      parts_.sink.emit(std::move(event));
      return;
    }
    case OutputBudget::Answer::kFirstBeyond: {
      model::Event event = {.service = parts_.service, .type = "lifecycle"};
      event.set("action", std::string("output_cut")).set("about", std::string("file"));
      event.set("detail", fmt::format("more than {} lines or {} bytes in {}",
                                      budget_.limits().lines, budget_.limits().bytes, parts_.path));
      parts_.sink.emit(std::move(event));
      return;
    }
    case OutputBudget::Answer::kBeyond:
      return;
  }
}

Status FileTail::barrier(TimePoint) {
  const std::scoped_lock lock(mutex_);
  if (!ending_) look();
  return status_;
}

Status FileTail::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

Status FileTail::finish() {
  std::unique_lock lock(mutex_);
  if (std::exchange(ending_, true)) return status_;
  look();
  for (Followed& followed : followed_) {
    followed.splitter.finish([this](std::string_view line) { take_line(line); });
  }
  lock.unlock();
  ::eventfd_write(woken_.fd(), 1);
  thread_.join();
  return status();
}

ObserverLag FileTail::lag() const {
  const std::scoped_lock lock(mutex_);
  return {.service = parts_.service,
          .name = fmt::format("file({})", parts_.path),
          .events = lines_,
          .lag_max_ns = std::chrono::nanoseconds(kPause).count()};
}

std::string FileTail::note() const {
  const std::scoped_lock lock(mutex_);
  const std::string who = fmt::format("file({}) of {}", parts_.path, parts_.service);
  if (followed_.empty()) {
    return who + " has not been seen: there was no such file";
  }
  const std::string doubt = parts_.decoder.doubt_text();
  return doubt.empty() ? std::string() : who + ": " + doubt;
}

}  // namespace misrule::controller
