#include "cli/outputs.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "cli/terminal.h"
#include "controller/bundle/bundle.h"
#include "controller/report/junit.h"
#include "controller/report/otlp.h"
#include "controller/report/run_json.h"
#include "controller/report/run_page.h"
#include "controller/report/shiviz.h"

namespace misrule::cli {

namespace {

Status make_folder(const std::string& folder) {
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (!error) return {};
  return fail(Code::kInvalid, fmt::format("cannot make {}: {}", folder, error.message()));
}

/// The path of the page of a run.
Result<std::string> write_page(const std::string& folder, const controller::RunResult& result,
                               const std::string& json) {
  const std::string name = result.plan.run_id.empty() ? "not-run" : result.plan.run_id;
  std::string path = std::filesystem::path(folder) / (name + ".html");
  std::ofstream file(path);
  if (!(file << controller::run_page(result, json)).flush()) {
    return fail(Code::kIo, fmt::format("cannot write {}", path));
  }
  return path;
}

}  // namespace

Status Outputs::add(const std::string& path) {
  if (path.empty()) return {};
  if (!files_.emplace(path, std::ofstream()).second) {
    return fail(Code::kInvalid, fmt::format("{} is to be two files", path));
  }
  files_.at(path).open(path);
  if (files_.at(path)) return {};
  return fail(Code::kInvalid, fmt::format("cannot write {}", path));
}

Status Outputs::put(const std::string& path, const std::function<void(std::ostream&)>& write) {
  if (path.empty()) return {};
  std::ofstream& file = files_.at(path);
  write(file);
  if (file.flush()) return {};
  return fail(Code::kIo, fmt::format("cannot write {}", path));
}

Result<Outputs> Outputs::open(const OutputPaths& paths) {
  Outputs outputs;
  outputs.paths_ = paths;
  MISRULE_TRY_VOID(make_folder(paths.report));
  if (!outputs.json_to_stdout()) MISRULE_TRY_VOID(outputs.add(paths.json));
  for (const std::string& path : {paths.junit, paths.shiviz, paths.otlp, paths.bundle})
    MISRULE_TRY_VOID(outputs.add(path));
  return outputs;
}

Status Outputs::write_bundle(const controller::RunResult& result,
                             const controller::RunRequest& request, const std::string& json) {
  if (paths_.bundle.empty()) return {};
  controller::SecretMask mask;
  mask.add_secrets(request.set);
  mask.add_secrets(controller::environment_pairs());
  const auto masked = [&mask](std::string text) { return mask.masked(std::move(text)); };
  return controller::write_bundle({.path = paths_.bundle,
                                   .version = MISRULE_VERSION,
                                   .run_json = json,
                                   .page = controller::run_page(result, json, masked),
                                   .with_services = paths_.bundle_services},
                                  result, request, mask);
}

Status Outputs::write(const controller::RunResult& result, const controller::RunRequest& request,
                      const std::string& program, std::FILE* text) {
  std::string json;
  if (!paths_.json.empty() || !paths_.report.empty() || !paths_.bundle.empty()) {
    json = controller::run_to_json(result, request, MISRULE_VERSION, program);
  }
  if (json_to_stdout()) {
    print_text(json);
  } else {
    MISRULE_TRY_VOID(put(paths_.json, [&](std::ostream& out) { out << json; }));
  }
  MISRULE_TRY_VOID(put(paths_.junit, [&](std::ostream& out) {
    out << controller::run_to_junit(result, request, program);
  }));
  MISRULE_TRY_VOID(
      put(paths_.shiviz, [&](std::ostream& out) { controller::write_shiviz(result, out); }));
  MISRULE_TRY_VOID(put(paths_.otlp, [&](std::ostream& out) {
    controller::write_otlp(result, MISRULE_VERSION, out);
  }));
  MISRULE_TRY_VOID(write_bundle(result, request, json));
  if (paths_.report.empty()) return {};
  MISRULE_TRY(const std::string page, write_page(paths_.report, result, json));
  fmt::print(text, "report: {}\n", page);
  return {};
}

}  // namespace misrule::cli
