#include "controller/run/watch_list.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "controller/launch/project_file.h"
#include "controller/run/loaded_files.h"
#include "controller/run/loading.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

class List {
 public:
  List(const std::string& file, const RunRequest& request)
      : folder_(fs::absolute(file).parent_path()) {
    watched_.file = file;
    for (const std::string& path : files_of_spec(fs::absolute(file))) add(path);
    add(folder_ / "misrule.toml");
    if (!request.rules_file.empty()) add(fs::absolute(request.rules_file));
  }

  void add_problems(const std::vector<dsl::Problem>& problems) {
    for (const dsl::Problem& problem : problems) {
      if (!problem.finding.position.file.empty()) add(fs::absolute(problem.finding.position.file));
    }
  }
  void add_spec(const dsl::Spec& spec);
  WatchedSpec take() { return std::move(watched_); }

 private:
  void add(const fs::path& path) {
    std::string text = path.lexically_normal().string();
    if (std::ranges::find(watched_.paths, text) == watched_.paths.end()) {
      watched_.paths.push_back(std::move(text));
    }
  }
  void add_service(const model::Service& service, const ProjectFile* project);

  fs::path folder_;
  WatchedSpec watched_ = {};
};

void List::add_service(const model::Service& service, const ProjectFile* project) {
  const bool has_entry = project != nullptr && service.binary.empty();
  const ProgramEntry* entry = has_entry ? project->find(service) : nullptr;
  const ProgramFiles found = entry == nullptr
                                 ? files_of_service(service, folder_)
                                 : files_of_service(run_by(*entry, service), folder_, entry->setup);
  for (const std::string& path : found.files) add(path);
  for (const std::string& path : found.keys) add(path);
  for (const std::string& path : found.folders) watched_.folders.push_back(path);
}

void List::add_spec(const dsl::Spec& spec) {
  const auto project = read_project_file(folder_.string());
  for (const model::Service& service : spec.topology().services) {
    add_service(service, project ? &*project : nullptr);
  }
}

}  // namespace

std::vector<WatchedSpec> watched_specs(const RunRequest& request) {
  // The run itself prints what specs print.
  const auto print = std::make_shared<PrintTarget::element_type>([](std::string_view) {});
  std::vector<WatchedSpec> watched;
  for (const std::string& file : request.files) {
    List list(file, request);
    const auto spec = load_spec(file, request.set, print);
    if (spec) {
      list.add_spec(**spec);
    } else {
      list.add_problems(spec.error());
    }
    watched.push_back(list.take());
  }
  return watched;
}

}  // namespace misrule::controller
