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
  {
    Lock lock(mutex_);
    write_all(lock);
  }
  shared_.release();
}

std::optional<std::uint64_t> LogFile::append(std::string_view line) {
  Lock lock(mutex_);
  if (!status_) return {};
  if (!claimed_) {
    status_ = write_whole(file_.fd(), std::string(line) + '\n');
    return {};
  }
  add(lock, line);
  const std::uint64_t place = std::exchange(end_, end_ + line.size() + 1);
  if (!readable_ || !status_) return {};
  return place;
}

void LogFile::add(Lock& lock, std::string_view line) {
  // While sealed lines wait or are written, the writer looks here again by itself.
  const bool was_empty = shared_.lines().empty() && shared_.sealed().empty();
  if (shared_.add_line(line)) {
    if (was_empty) waiting_.notify_one();
    return;
  }
  if (!shared_.seal()) {
    write_sealed(lock);
    shared_.seal();
  }
  waiting_.notify_one();
  if (shared_.add_line(line)) return;
  // One that is longer than all the memory goes by itself.
  write_all(lock);
  if (status_) status_ = write_whole(file_.fd(), std::string(line) + '\n');
}

Result<std::string> LogFile::read(std::uint64_t place) {
  Lock lock(mutex_);
  write_all(lock);
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
  Lock lock(mutex_);
  if (claimed_) write_all(lock);
  return status_;
}

void LogFile::write_sealed(Lock& lock) {
  written_.wait(lock, [this] { return !writing_; });
  if (shared_.sealed().empty()) return;
  if (status_) {
    writing_ = true;
    lock.unlock();
    Status written = write_whole(file_.fd(), shared_.sealed());
    lock.lock();
    writing_ = false;
    if (status_) status_ = std::move(written);
  }
  shared_.clear_sealed();
  written_.notify_all();
}

void LogFile::write_all(Lock& lock) {
  while (!shared_.sealed().empty() || !shared_.lines().empty()) {
    shared_.seal();
    write_sealed(lock);
  }
}

void LogFile::keep_writing(const std::stop_token& stop) {
  Lock lock(mutex_);
  const auto is_sealed = [this] { return !shared_.sealed().empty(); };
  while (waiting_.wait(lock, stop, [&] { return is_sealed() || !shared_.lines().empty(); })) {
    waiting_.wait_for(lock, stop, kWaitMax, is_sealed);
    shared_.seal();
    write_sealed(lock);
  }
}

}  // namespace misrule::controller
