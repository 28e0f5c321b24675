// Prints the sample run in one of the forms that outputs_test.py looks at.

#include <cstdio>
#include <string>
#include <string_view>

#include "controller/report/github.h"
#include "controller/report/junit.h"
#include "tests/controller/report/sample_run.h"

namespace {

using namespace misrule;

/// The sample with every verdict there is, and a test whose texts are hostile.
controller::RunResult all_verdicts() {
  controller::RunResult result = controller::sample_result();
  const std::string spec = result.reports.front().spec;
  const auto add = [&](model::TestReport report) {
    report.spec = spec;
    result.plan.tests.insert(result.plan.tests.begin(), {.file = spec, .name = report.test});
    result.reports.push_back(std::move(report));
  };
  const auto cell = [](const char* name, const char* fault, model::Outcome outcome) {
    return model::TestReport{
        .test = name,
        .cell = {.spec = "s", .matrix = 1, .scenario = "order|once", .fault = fault},
        .outcome = outcome};
  };
  add(cell("test_not_exercised", "db_down", model::Outcome::kNotExercised));
  add(cell("test_no_oracle", "<b>disk</b>", model::Outcome::kNoOracle));
  model::TestReport hostile = {.test = "test_hostile,a:b", .outcome = model::Outcome::kFailed};
  hostile.findings.push_back(
      {.message = "50% ]]> \xEF\xBF\xBE \xFF \x1b[31m </failure>\n::error::no",
       .position = {.file = spec, .line = 7, .column = 2}});
  add(std::move(hostile));
  return result;
}

std::string printed(std::string_view form, const controller::RunResult& result) {
  controller::RunRequest request = controller::sample_request();
  if (form.ends_with("-strict")) {
    request.strict = true;
    form.remove_suffix(std::string_view("-strict").size());
  }
  if (form == "junit") return controller::run_to_junit(result, request, "misrule");
  if (form == "summary") return controller::github_summary(result, request, "misrule");
  if (form == "annotations") {
    return controller::github_annotations(result, request,
                                          {.directory = "/repo/sub", .workspace = "/repo"});
  }
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string text = printed(argc > 1 ? argv[1] : "", all_verdicts());
  std::fputs(text.c_str(), stdout);
  return text.empty() ? 2 : 0;
}
