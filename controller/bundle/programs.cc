#include "controller/bundle/programs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "base/random.h"

namespace misrule::controller {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kHashedBytesMax = std::uintmax_t{512} << 20U;
constexpr std::uintmax_t kFileBytesMax = std::uintmax_t{4} << 20U;
constexpr std::uintmax_t kAllBytesMax = std::uintmax_t{32} << 20U;
constexpr std::size_t kFilesMax = 1000;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string hash_text(std::string_view content) {
  return fmt::format("{:016x}", stable_hash(content));
}

/// As a person who stands where misrule was called would name it.
std::string name_of(const fs::path& path) {
  std::error_code error;
  const fs::path beside = path.lexically_relative(fs::current_path(error));
  const bool is_below = !beside.empty() && *beside.begin() != "..";
  return (is_below ? beside : path).string();
}

/// Folders of libraries and of what tools leave behind are not the project's own.
bool is_foreign(const fs::path& folder) {
  const std::string name = folder.filename();
  return name.starts_with('.') || name == "node_modules" || name == "__pycache__";
}

class Collection {
 public:
  Collection(const RunResult& result, bool with_contents) : with_contents_(with_contents) {
    std::error_code error;
    for (const std::string& file : result.spec_files) {
      roots_.insert(fs::weakly_canonical(file, error).parent_path());
    }
  }

  /// Neither the file nor its hash is taken, however it is come by.
  void leave_out(const fs::path& path) {
    std::error_code error;
    left_out_.insert(fs::weakly_canonical(path, error));
  }
  void add(const std::string& service, const fs::path& path);
  void add_folder(const std::string& service, const fs::path& folder);
  std::vector<Program> take() && { return std::move(programs_); }

 private:
  /// Below the folder of a spec, wherever links lead.
  bool is_of_the_project(const fs::path& path) const {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    return !error && std::ranges::any_of(roots_, [&](const fs::path& root) {
      const fs::path below = real.lexically_relative(root);
      return !below.empty() && *below.begin() != "..";
    });
  }

  bool with_contents_;
  std::set<fs::path> roots_ = {};
  std::set<fs::path> left_out_ = {};
  std::set<std::string> known_ = {};
  std::uintmax_t held_ = 0;
  std::vector<Program> programs_ = {};
};

void Collection::add(const std::string& service, const fs::path& path) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(path, error);
  if (error || programs_.size() >= kFilesMax || !known_.insert(path).second) return;
  if (left_out_.contains(fs::weakly_canonical(path, error))) return;
  Program program = {.service = service, .path = name_of(path), .bytes = bytes};
  const bool is_held = with_contents_ && bytes <= kFileBytesMax && held_ + bytes <= kAllBytesMax &&
                       is_of_the_project(path);
  if (is_held) {
    program.content = content_of(path);
    program.hash = hash_text(*program.content);
    held_ += bytes;
  } else {
    program.hash = hash_of_program(path);
  }
  programs_.push_back(std::move(program));
}

void Collection::add_folder(const std::string& service, const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->is_directory(error) && is_foreign(at->path())) at.disable_recursion_pending();
    const bool is_own = at->is_regular_file(error) && !at->is_symlink(error) &&
                        !at->path().filename().string().starts_with('.');
    if (is_own) files.push_back(at->path());
    if (files.size() >= kFilesMax) break;
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) add(service, file.lexically_normal());
}

}  // namespace

std::string hash_of_program(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(path, error);
  return error || bytes > kHashedBytesMax ? "" : hash_text(content_of(path));
}

std::vector<Program> programs_of(const RunResult& result, bool with_contents) {
  Collection collection(result, with_contents);
  for (const ProgramFiles& service : result.programs) {
    for (const std::string& key : service.keys) collection.leave_out(key);
  }
  for (const ProgramFiles& service : result.programs) {
    for (const std::string& file : service.files) collection.add(service.service, file);
    for (const std::string& folder : service.folders) {
      collection.add_folder(service.service, folder);
    }
  }
  return std::move(collection).take();
}

}  // namespace misrule::controller
