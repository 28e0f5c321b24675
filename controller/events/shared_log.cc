#include "controller/events/shared_log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "controller/events/log_file.h"

namespace misrule::controller {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "processes share it");

namespace {

/// One is written while the other one fills.
struct Half {
  std::atomic<std::size_t> used = 0;  ///< Behind the last whole line.
  std::array<char, SharedLog::kLineBytes> text = {};

  std::string_view lines() const { return {text.data(), used.load(std::memory_order_acquire)}; }
};

}  // namespace

struct SharedLog::Memory {
  std::atomic<std::uint64_t> numbers = 0;
  std::atomic<bool> claimed = false;
  std::atomic<bool> second_fills = false;
  std::array<Half, 2> halves = {};

  Half& filling() { return halves[second_fills ? 1 : 0]; }
  Half& other() { return halves[second_fills ? 0 : 1]; }
};

Result<SharedLog> SharedLog::create() {
  void* mapped =
      ::mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return std::unexpected(errno_error("mapping the shared log", errno));
  SharedLog log;
  log.memory_ = std::shared_ptr<Memory>(::new (mapped) Memory,
                                        [](Memory* memory) { ::munmap(memory, sizeof(Memory)); });
  return log;
}

std::uint64_t SharedLog::reserve() { return ++memory_->numbers; }
std::uint64_t SharedLog::reserved() const { return memory_->numbers; }
void SharedLog::reset() { memory_->numbers = 0; }

bool SharedLog::claim() { return !memory_->claimed.exchange(true); }
void SharedLog::release() { memory_->claimed = false; }

bool SharedLog::add_line(std::string_view line) {
  Half& half = memory_->filling();
  const std::size_t used = half.used.load(std::memory_order_relaxed);
  if (line.size() + 1 > kLineBytes - used) return false;
  std::memcpy(half.text.data() + used, line.data(), line.size());
  half.text[used + line.size()] = '\n';
  half.used.store(used + line.size() + 1, std::memory_order_release);
  return true;
}

std::string_view SharedLog::lines() const { return memory_->filling().lines(); }
std::string_view SharedLog::sealed() const { return memory_->other().lines(); }

bool SharedLog::seal() {
  if (!sealed().empty()) return false;
  memory_->second_fills = !memory_->second_fills;
  return true;
}

void SharedLog::clear_sealed() { memory_->other().used = 0; }

namespace {

/// How much of the beginning of `lines` the file ends with.
Result<std::size_t> written_part(int file, std::string_view lines) {
  struct stat status = {};
  if (::fstat(file, &status) != 0) return std::unexpected(errno_error("the event log", errno));
  std::string end(std::min<std::size_t>(lines.size(), static_cast<std::size_t>(status.st_size)),
                  '\0');
  const ssize_t got =
      ::pread(file, end.data(), end.size(), status.st_size - static_cast<off_t>(end.size()));
  if (got < 0) return std::unexpected(errno_error("reading the event log", errno));
  end.resize(static_cast<std::size_t>(got));
  std::size_t part = end.size();
  while (part > 0 && !end.ends_with(lines.substr(0, part))) --part;
  return part;
}

Status complete(int file, std::string_view lines) {
  if (lines.empty()) return {};
  MISRULE_TRY(const std::size_t part, written_part(file, lines));
  return write_whole(file, lines.substr(part));
}

}  // namespace

Status SharedLog::recover(int file) {
  Status written = complete(file, sealed());
  clear_sealed();
  seal();
  if (written) written = complete(file, sealed());
  clear_sealed();
  release();
  return written;
}

}  // namespace misrule::controller
