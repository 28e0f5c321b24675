#include "controller/run/watch_list.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "controller/launch/project_file.h"
#include "controller/run/loading.h"
#include "spec/starlark/syntax/parser.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

class List {
 public:
  List(const std::string& file, const RunRequest& request)
      : folder_(fs::absolute(file).parent_path()) {
    watched_.file = file;
    add_loads(fs::absolute(file));
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
  void add_loads(const fs::path& path);
  void add_folder(const fs::path& path) { watched_.folders.push_back(path.lexically_normal()); }
  /// Words of a command that are files of the project.
  void add_words(const std::vector<std::string>& words, const fs::path& cwd);
  void add_service(const model::Service& service, const ProjectFile* project);

  fs::path folder_;
  WatchedSpec watched_ = {};
};

/// What a file loads, and what that loads; also of a file that is wrong.
void List::add_loads(const fs::path& path) {
  constexpr std::size_t kFilesMax = 1000;
  const std::size_t known = watched_.paths.size();
  add(path);
  if (watched_.paths.size() == known || known > kFilesMax) return;
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  const star::SourceFile file(path.string(), text.str());
  std::vector<star::Diagnostic> problems;
  const auto syntax = star::parse_file(file, {}, problems);
  if (syntax == nullptr) return;
  for (const star::StmtPtr& statement : syntax->body) {
    const auto* load = dynamic_cast<const star::LoadStmt*>(statement.get());
    // "@misrule/..." is ours, not the project's.
    if (load != nullptr && !load->path.starts_with("@")) add_loads(path.parent_path() / load->path);
  }
}

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
