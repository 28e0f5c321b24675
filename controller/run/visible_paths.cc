#include "controller/run/visible_paths.h"

#include <filesystem>

#include "controller/run/world/journal.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

void add_existing(std::vector<std::string>& paths, const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  if (!error) paths.push_back(std::move(real));
}

}  // namespace

std::vector<std::string> visible_paths(const LoadedSpec& spec, const std::string& run_folder,
                                       const std::string& shim_path) {
  std::vector<std::string> paths;
  std::error_code error;
  const fs::path project = fs::absolute(spec.file, error).parent_path();
  add_existing(paths, ".");
  add_existing(paths, project);
  add_existing(paths, run_folder);
  add_existing(paths, fs::path(shim_path).parent_path());
  add_existing(paths, state_directory());
  // A host's name service may live below /run.
  add_existing(paths, "/etc/resolv.conf");
  for (const ServicePlan& plan : spec.plans) {
    if (!plan.service.cwd.empty()) add_existing(paths, project / plan.service.cwd);
    // The folder of a program, where programs find their own files.
    if (plan.service.binary.find('/') != std::string::npos) {
      add_existing(paths, (project / plan.service.binary).parent_path());
    }
  }
  return paths;
}

}  // namespace misrule::controller
