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
  void add_folder(const fs::path& path) { watched_.folders.push_back(path.lexically_normal()); }
  /// Words of a command that are files of the project.
  void add_words(const std::vector<std::string>& words, const fs::path& cwd);
  void add_service(const model::Service& service, const ProjectFile* project);

  fs::path folder_;
  WatchedSpec watched_ = {};
};

void List::add_words(const std::vector<std::string>& words, const fs::path& cwd) {
  for (const std::string& word : words) {
    for (const fs::path& base : {cwd, folder_}) {
      std::error_code problem;
      if (!word.empty() && fs::is_regular_file(base / word, problem)) add(base / word);
    }
  }
}

void List::add_service(const model::Service& service, const ProjectFile* project) {
  const fs::path cwd = folder_ / service.cwd;
  // A name on the PATH is not the project's.
  if (service.binary.find('/') != std::string::npos) add(folder_ / service.binary);
  add_words(service.args, cwd);
  for (const auto& statements : {service.seed, service.reset}) {
    if (statements && !statements->sql_file.empty()) add(statements->sql_file);
  }
  if (!service.build.empty()) add_folder(folder_ / service.build);
  const ProgramEntry* entry = project == nullptr ? nullptr : project->find(service);
  if (entry == nullptr) return;
  add_words(entry->command, folder_ / entry->cwd);
  if (!entry->cwd.empty()) add_folder(folder_ / entry->cwd);
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
