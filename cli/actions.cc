#include "cli/actions.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string_view>

#include <fmt/format.h>

#include "controller/report/github.h"

namespace misrule::cli {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void print_now(std::FILE* text, std::string_view what) {
  std::fwrite(what.data(), 1, what.size(), text);
  // Nothing may stay behind for a forked process to write again.
  std::fflush(text);
}

}  // namespace

ActionsJob::ActionsJob(std::FILE* text) : text_(text) {
  if (variable("GITHUB_ACTIONS") != "true") return;
  std::random_device bits;
  token_ = fmt::format("misrule-{:08x}{:08x}{:08x}", bits(), bits(), bits());
  print_now(text_, controller::github_pause(token_));
}

ActionsJob::~ActionsJob() { resume(); }

void ActionsJob::resume() {
  if (!token_.empty()) print_now(text_, controller::github_resume(token_));
  token_.clear();
}

void ActionsJob::tell(const controller::RunResult& result, const controller::RunRequest& request,
                      const std::string& program) {
  if (token_.empty()) return;
  resume();
  std::error_code error;
  const controller::GithubPlace place = {.directory = std::filesystem::current_path(error).string(),
                                         .workspace = variable("GITHUB_WORKSPACE")};
  print_now(text_, controller::github_annotations(result, request, place));
  const std::string summary = variable("GITHUB_STEP_SUMMARY");
  if (summary.empty()) return;
  std::ofstream file(summary, std::ios::app);
  if (!(file << controller::github_summary(result, request, program)).flush()) {
    fmt::print(stderr, "misrule: cannot write {}, the step's summary\n", summary);
  }
}

}  // namespace misrule::cli
