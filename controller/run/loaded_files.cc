#include "controller/run/loaded_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "controller/launch/service_plan.h"
#include "spec/starlark/syntax/parser.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesMax = 1000;

void add_with_loads(const fs::path& path, std::vector<std::string>& files) {
  std::string name = path.lexically_normal().string();
  if (files.size() >= kFilesMax || std::ranges::find(files, name) != files.end()) return;
  files.push_back(std::move(name));
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  const star::SourceFile file(path.string(), text.str());
  std::vector<star::Diagnostic> problems;
  const auto syntax = star::parse_file(file, {}, problems);
  if (syntax == nullptr) return;
  for (const star::StmtPtr& statement : syntax->body) {
    const auto* load = dynamic_cast<const star::LoadStmt*>(statement.get());
    if (load == nullptr || load->path.starts_with("@")) continue;
    add_with_loads(path.parent_path() / load->path, files);
  }
}

void add_path(const fs::path& path, std::vector<std::string>& paths) {
  std::string name = path.lexically_normal().string();
  if (std::ranges::find(paths, name) == paths.end()) paths.push_back(std::move(name));
}

/// A word of a command that is a file, as the program sees it or beside the spec.
void add_word(const std::string& word, const fs::path& cwd, const fs::path& folder,
              std::vector<std::string>& files) {
  if (word.empty()) return;
  for (const fs::path& base : {cwd, folder}) {
    std::error_code problem;
    if (fs::is_regular_file(base / word, problem)) return add_path(base / word, files);
  }
}

/// Of how it speaks TLS. What the run makes itself is no file.
void add_tls(const model::Interface& interface, const fs::path& folder, ProgramFiles& found) {
  const auto add = [&folder](const std::string& path, std::vector<std::string>& paths) {
    if (!path.empty()) add_path(folder / path, paths);
  };
  if (interface.tls) {
    add(interface.tls->cert, found.files);
    add(interface.tls->key, found.keys);
  }
  if (interface.upstream_tls) {
    add(interface.upstream_tls->ca, found.files);
    add(interface.upstream_tls->cert, found.files);
    add(interface.upstream_tls->key, found.keys);
  }
}

}  // namespace

std::vector<std::string> files_of_spec(const std::string& file) {
  std::vector<std::string> files;
  add_with_loads(file, files);
  return files;
}

ProgramFiles files_of_service(const model::Service& service, const std::string& spec_folder,
                              const std::vector<std::string>& setup) {
  ProgramFiles found = {.service = service.name};
  const fs::path folder = spec_folder;
  const fs::path cwd = folder / service.cwd;
  // A name on the PATH is not the project's.
  if (service.binary.contains('/')) add_path(folder / service.binary, found.files);
  for (const std::vector<std::string>* words : {&service.args, &setup}) {
    for (const std::string& word : *words) add_word(word, cwd, folder, found.files);
  }
  for (const auto& statements : {service.seed, service.reset}) {
    if (statements && !statements->sql_file.empty()) add_path(statements->sql_file, found.files);
  }
  for (const model::Interface& interface : service.interfaces) add_tls(interface, folder, found);
  if (!service.build.empty()) add_path(folder / service.build, found.folders);
  const bool is_stand_in =
      !service.binary.empty() && (!service.image.empty() || !service.build.empty());
  if (is_stand_in && !service.cwd.empty()) add_path(cwd, found.folders);
  return found;
}

std::vector<ProgramFiles> program_files(const std::vector<ServicePlan>& plans) {
  std::vector<ProgramFiles> found;
  found.reserve(plans.size());
  for (const ServicePlan& plan : plans) {
    found.push_back(files_of_service(plan.service, plan.spec_folder, plan.setup));
    found.back().note = plan.note;
  }
  return found;
}

}  // namespace misrule::controller
