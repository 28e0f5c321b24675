#include "controller/events/log_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

/// How long a line may wait for others: who looks at the file of a running test sees it then.
constexpr std::chrono::milliseconds kWaitMax(20);

bool is_readable_file(int file) {
  struct stat status = {};
  return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
         (::fcntl(file, F_GETFL) & O_ACCMODE) == O_RDWR;
}

}  // namespace

Status write_whole(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(errno_error("writing the event log", errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

LogFile::LogFile(UniqueFd file, SharedLog shared)
    : file_(std::move(file)), shared_(std::move(shared)), claimed_(shared_.claim()) {
  if (!claimed_) return;
  readable_ = is_readable_file(file_.fd());
  if (readable_) end_ = static_cast<std::uint64_t>(::lseek(file_.fd(), 0, SEEK_END));
  writer_ = std::jthread([this](const std::stop_token& stop) { keep_writing(stop); });
}

LogFile::~LogFile() {
  if (!claimed_) return;
  writer_ = {};
  write_lines();
  shared_.release();
}

std::optional<std::uint64_t> LogFile::append(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  if (!status_) return {};
  if (!claimed_) {
    status_ = write_whole(file_.fd(), std::string(line) + '\n');
    return {};
  }
  const bool was_empty = shared_.lines().empty();
  bool added = shared_.add_line(line);
  if (!added) {
    write_lines();
    added = shared_.add_line(line);
    // One that is longer than all the memory goes by itself.
    if (!added && status_) status_ = write_whole(file_.fd(), std::string(line) + '\n');
  }
  if (added && was_empty) waiting_.notify_one();
  const std::uint64_t place = std::exchange(end_, end_ + line.size() + 1);
  if (!readable_ || !status_) return {};
  return place;
}

Result<std::string> LogFile::read(std::uint64_t place) {
  const std::scoped_lock lock(mutex_);
  write_lines();
  if (!status_) return std::unexpected(status_.error());
  std::string line;
  std::array<char, 4096> piece;
  while (true) {
    const ssize_t got =
        ::pread(file_.fd(), piece.data(), piece.size(), static_cast<off_t>(place + line.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(errno_error("reading the event log", errno));
    if (got == 0) return fail(Code::kInvalid, "the event log is shorter than it was");
    const std::string_view text(piece.data(), static_cast<std::size_t>(got));
    const std::size_t end = text.find('\n');
    line += text.substr(0, end);
    if (end != std::string_view::npos) return line;
  }
}

Status LogFile::status() {
  const std::scoped_lock lock(mutex_);
  if (claimed_) write_lines();
  return status_;
}

void LogFile::write_lines() {
  if (status_ && !shared_.lines().empty()) status_ = write_whole(file_.fd(), shared_.lines());
  shared_.clear();
}

void LogFile::keep_writing(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto never = [] { return false; };
  while (waiting_.wait(lock, stop, [this] { return !shared_.lines().empty(); })) {
    waiting_.wait_for(lock, stop, kWaitMax, never);
    write_lines();
  }
}

}  // namespace misrule::controller
