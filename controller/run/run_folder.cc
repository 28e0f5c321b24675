#include "controller/run/run_folder.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

Error folder_error(const fs::path& path, const std::error_code& error) {
  return {.code = Code::kIo, .what = fmt::format("{}: {}", path.string(), error.message())};
}

/// The oldest go first: names sort by time.
void drop_old_runs(const fs::path& runs) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs, error)) {
    if (!entry.is_symlink(error) && entry.is_directory(error)) folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  for (std::size_t i = 0; i + kRunsKept < folders.size(); ++i) fs::remove_all(folders[i], error);
}

/// By rename, so that the link is never missing.
void point_latest_at(const fs::path& runs, const std::string& id) {
  const fs::path fresh = runs / (".latest-" + id);
  std::error_code error;
  fs::create_symlink(id, fresh, error);
  fs::rename(fresh, runs / "latest", error);
}

std::string as_file_name(std::string text) {
  constexpr std::size_t kNameBytesMax = 120;
  std::ranges::replace_if(text, [](char c) { return c == '/' || c == '\0'; }, '_');
  if (text.size() > kNameBytesMax) text.resize(kNameBytesMax);
  return text;
}

}  // namespace

std::string make_run_id() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  ::gmtime_r(&now, &utc);
  return fmt::format("{:%Y%m%d-%H%M%S}-{}", utc, ::getpid());
}

Result<std::string> make_run_folder(const std::string& directory, const std::string& id) {
  const fs::path root = fs::path(directory) / ".misrule";
  const fs::path folder = root / "runs" / id;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return std::unexpected(folder_error(folder, error));
  std::ofstream(root / ".gitignore") << "*\n";
  point_latest_at(root / "runs", id);
  drop_old_runs(root / "runs");
  return folder.string();
}

void hand_to_owner(const std::string& directory) {
  struct stat project = {};
  if (::geteuid() != 0 || ::stat(directory.c_str(), &project) != 0 || project.st_uid == 0) return;
  const fs::path root = fs::path(directory) / ".misrule";
  const auto give = [&project](const fs::path& path) {
    // What cannot be given away stays root's; nothing follows from it but an rm with sudo.
    static_cast<void>(::lchown(path.c_str(), project.st_uid, project.st_gid));
  };
  give(root);
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(root, error)) give(entry.path());
}

Result<std::string> working_directory() {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  if (!error) return here.string();
  return fail(Code::kInvalid, fmt::format("the current directory: {}", error.message()));
}

std::string latest_run_id(const std::string& directory) {
  std::error_code error;
  return fs::read_symlink(fs::path(directory) / ".misrule/runs/latest", error).string();
}

Result<std::string> make_test_folder(const std::string& run_folder, const std::string& spec_file,
                                     const std::string& test) {
  const std::string stem = fs::path(spec_file).stem().string();
  fs::path folder = fs::path(run_folder) / as_file_name(stem + "." + test);
  std::error_code error;
  // Two spec files of one name in different folders.
  for (int twin = 2; fs::exists(folder, error); ++twin) {
    folder = fs::path(run_folder) / as_file_name(fmt::format("{}.{}.{}", stem, test, twin));
  }
  fs::create_directory(folder, error);
  if (error) return std::unexpected(folder_error(folder, error));
  return folder.string();
}

}  // namespace misrule::controller
