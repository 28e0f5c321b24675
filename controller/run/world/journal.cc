#include "controller/run/world/journal.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "controller/run/world/packet.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

fs::path worlds_folder() { return fs::path(state_directory()) / "worlds"; }

/// Creating and sweeping exclude each other: a folder that is not yet locked must not look left
/// over.
Result<UniqueFd> lock_worlds() {
  std::error_code error;
  fs::create_directories(worlds_folder(), error);
  const std::string path = worlds_folder() / ".lock";
  UniqueFd lock(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  if (!lock.valid() || ::flock(lock.fd(), LOCK_EX) != 0) {
    return std::unexpected(errno_error(fmt::format("locking {}", path), errno));
  }
  return lock;
}

bool write_file(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  return file.good();
}

/// Nobody holds the lock: its run is gone.
bool is_left_over(const fs::path& folder) {
  const UniqueFd lock(::open((folder / "lock").c_str(), O_RDWR | O_CLOEXEC));
  return !lock.valid() || ::flock(lock.fd(), LOCK_EX | LOCK_NB) == 0;
}

std::vector<fs::path> all_world_folders() {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(worlds_folder(), error)) {
    if (entry.is_directory(error)) folders.push_back(entry.path());
  }
  return folders;
}

}  // namespace

std::string state_directory() {
  const char* chosen =
      std::getenv("MISRULE_STATE_DIR");  // NOLINT(concurrency-mt-unsafe): never set
  return chosen != nullptr && *chosen == '/' ? chosen : "/var/lib/misrule";
}

std::string world_folder(const std::string& id) { return worlds_folder() / id; }

std::string world_data_folder(const std::string& id) { return world_folder(id) + "/data"; }

Result<UniqueFd> create_world_folder(const std::string& id) {
  MISRULE_TRY(const UniqueFd guard, lock_worlds());
  const fs::path folder = world_folder(id);
  std::error_code error;
  if (!fs::create_directory(folder, error)) {
    return fail(Code::kIo, fmt::format("creating {}: {}", folder.string(),
                                       error ? error.message() : "it exists"));
  }
  UniqueFd lock(::open((folder / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  if (!lock.valid() || ::flock(lock.fd(), LOCK_EX | LOCK_NB) != 0) {
    return std::unexpected(errno_error(fmt::format("locking {}", folder.string()), errno));
  }
  return lock;
}

void remove_world_folder(const std::string& id) {
  // The folder of no world is that of all of them.
  if (id.empty()) return;
  std::error_code error;
  fs::remove_all(world_folder(id), error);
}

std::size_t sweep_world_folders() {
  const Result<UniqueFd> guard = lock_worlds();
  if (!guard) return 0;
  std::size_t swept = 0;
  for (const fs::path& folder : all_world_folders()) {
    if (!is_left_over(folder)) continue;
    std::error_code error;
    fs::remove_all(folder, error);
    ++swept;
  }
  return swept;
}

void sweep_unfinished_caches() {
  std::error_code error;
  std::vector<fs::path> unfinished;
  for (const auto& entry : fs::directory_iterator(fs::path(state_directory()) / "cache", error)) {
    if (entry.path().extension() == ".making") unfinished.push_back(entry.path());
  }
  for (const fs::path& folder : unfinished) {
    const fs::path lock_path = fs::path(folder).replace_extension(".lock");
    const UniqueFd lock(::open(lock_path.c_str(), O_RDWR | O_CLOEXEC));
    if (lock.valid() && ::flock(lock.fd(), LOCK_EX | LOCK_NB) != 0) continue;
    fs::remove_all(folder, error);
  }
}

std::optional<ProcessName> name_process(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  // The command's name may hold blanks and brackets; the fields that follow its last bracket do
  // not.
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(end + 1));
  std::string field;
  constexpr int kFieldsBeforeStart = 20;
  for (int i = 0; i < kFieldsBeforeStart; ++i) rest >> field;
  return ProcessName{.pid = pid, .started = std::strtoull(field.c_str(), nullptr, 10)};
}

bool is_alive(const ProcessName& process) {
  const auto now = name_process(process.pid);
  return now && now->started == process.started;
}

Status record_pid_one(const std::string& id, const ProcessName& process) {
  const fs::path path = fs::path(world_folder(id)) / "pid";
  if (!write_file(path, fmt::format("{} {}\n", process.pid, process.started))) {
    return fail(Code::kIo, fmt::format("writing {}", path.string()));
  }
  return {};
}

std::optional<ProcessName> recorded_pid_one(const std::string& id) {
  std::ifstream file(fs::path(world_folder(id)) / "pid");
  ProcessName process;
  if (!(file >> process.pid >> process.started)) return std::nullopt;
  return process;
}

void record_kept(const std::string& id) { write_file(fs::path(world_folder(id)) / "kept", "\n"); }

bool is_recorded_kept(const std::string& id) {
  std::error_code error;
  return fs::exists(fs::path(world_folder(id)) / "kept", error);
}

std::vector<std::string> find_kept_worlds(const std::string& prefix) {
  std::vector<std::string> ids;
  for (const fs::path& folder : all_world_folders()) {
    const std::string id = folder.filename();
    if (id.starts_with(prefix) && is_recorded_kept(id) && !is_left_over(folder)) ids.push_back(id);
  }
  return ids;
}

}  // namespace misrule::controller
