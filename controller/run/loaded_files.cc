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

void add_file(const fs::path& path, std::vector<std::string>& files) {
  std::error_code problem;
  if (!fs::is_regular_file(path, problem)) return;
  std::string name = path.lexically_normal().string();
  if (std::ranges::find(files, name) == files.end()) files.push_back(std::move(name));
}

ProgramFiles files_of(const ServicePlan& plan) {
  ProgramFiles found = {.service = plan.service.name, .note = plan.note};
  const fs::path folder = plan.spec_folder;
  const fs::path cwd = folder / plan.service.cwd;
  if (!plan.service.binary.empty()) add_file(folder / plan.service.binary, found.files);
  for (const std::vector<std::string>* words : {&plan.service.args, &plan.setup}) {
    for (const std::string& word : *words) add_file(cwd / word, found.files);
  }
  for (const auto& statements : {plan.service.seed, plan.service.reset}) {
    if (statements) add_file(statements->sql_file, found.files);
  }
  if (!plan.service.build.empty()) {
    found.folders.push_back((folder / plan.service.build).lexically_normal());
  }
  return found;
}

}  // namespace

std::vector<std::string> files_of_spec(const std::string& file) {
  std::vector<std::string> files;
  add_with_loads(file, files);
  return files;
}

std::vector<ProgramFiles> program_files(const std::vector<ServicePlan>& plans) {
  std::vector<ProgramFiles> found;
  found.reserve(plans.size());
  for (const ServicePlan& plan : plans) found.push_back(files_of(plan));
  return found;
}

}  // namespace misrule::controller
