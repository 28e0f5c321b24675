#include "controller/starter/starter.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "controller/starter/compose.h"
#include "controller/starter/sample.h"
#include "controller/starter/spec_text.h"

namespace misrule::controller {

namespace {

namespace fs = std::filesystem;

struct StarterFile {
  fs::path path = {};
  std::string text = {};
  bool executable = false;
};

Status check_free(const std::vector<StarterFile>& files) {
  std::vector<std::string> there;
  for (const StarterFile& file : files) {
    std::error_code problem;
    if (fs::exists(fs::symlink_status(file.path, problem))) there.push_back(file.path.string());
  }
  if (there.empty()) return {};
  return fail(Code::kInvalid,
              fmt::format("there {} already: {}; nothing was written (--force "
                          "writes over what is there)",
                          there.size() == 1 ? "is" : "are", fmt::join(there, ", ")));
}

Status write(const StarterFile& file) {
  std::error_code problem;
  if (file.path.has_parent_path()) fs::create_directories(file.path.parent_path(), problem);
  std::ofstream stream(file.path);
  if (!(stream << file.text).flush()) {
    return fail(Code::kIo,
                fmt::format("cannot write {}: {}", file.path.string(), std::strerror(errno)));
  }
  if (file.executable) {
    fs::permissions(file.path,
                    fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                    fs::perm_options::add, problem);
  }
  return {};
}

std::vector<StarterFile> files_of(const StarterProject& project, const fs::path& folder,
                                  bool is_sample) {
  std::vector<StarterFile> files = {
      {.path = folder / "misrule.star", .text = starter_spec(project)}};
  const std::string project_file = starter_project_file(project);
  if (!project_file.empty())
    files.push_back({.path = folder / "misrule.toml", .text = project_file});
  if (is_sample) {
    files.push_back(
        {.path = folder / "shop.py", .text = std::string(sample_shop()), .executable = true});
    files.push_back({.path = folder / "warehouse.py",
                     .text = std::string(sample_warehouse()),
                     .executable = true});
  }
  files.push_back(
      {.path = folder / ".github/workflows/misrule.yml", .text = std::string(ci_workflow())});
  return files;
}

}  // namespace

Result<StarterResult> write_starter(const StarterRequest& request) {
  fs::path folder = fs::path(request.folder).lexically_normal();
  if (folder == ".") folder.clear();  // "misrule.star" reads better than "./misrule.star".
  StarterProject project = sample_project();
  if (!request.compose_file.empty()) {
    MISRULE_TRY(project, read_compose(request.compose_file, request.folder));
  }
  prepare_for_spec(project);
  const std::vector<StarterFile> files = files_of(project, folder, request.compose_file.empty());
  if (!request.force) MISRULE_TRY_VOID(check_free(files));
  StarterResult result = {.remarks = std::move(project.remarks)};
  for (const StarterFile& file : files) {
    MISRULE_TRY_VOID(write(file));
    result.written.push_back(file.path.string());
  }
  return result;
}

}  // namespace misrule::controller
