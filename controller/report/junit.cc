#include "controller/report/junit.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pugixml.hpp>

#include "controller/events/utf8.h"
#include "controller/report/again.h"
#include "controller/report/failure.h"
#include "controller/report/text.h"
#include "controller/report/weight.h"

namespace misrule::controller {

namespace {

/// What XML 1.0 can hold of foreign text: no controls, no U+FFFE, no U+FFFF.
std::string xml_text(std::string_view text) {
  std::string out = as_utf8(harmless(text));
  for (const std::string_view outlaw : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    for (std::size_t at = 0; (at = out.find(outlaw, at)) != std::string::npos;) {
      out.replace(at, outlaw.size(), "\xEF\xBF\xBD");
    }
  }
  return out;
}

void set(pugi::xml_node node, const char* name, std::string_view value) {
  node.append_attribute(name) = xml_text(value).c_str();
}

void set_text(pugi::xml_node node, std::string_view text) {
  node.append_child(pugi::node_pcdata).set_value(xml_text(text).c_str());
}

std::string seconds(Duration duration) {
  return fmt::format("{:.3f}", std::chrono::duration<double>(duration).count());
}

/// "specs/shop.star" is specs.shop: readers make folders of the dots.
std::string class_of(const std::string& file) {
  std::string name = std::filesystem::path(file).replace_extension().lexically_normal().string();
  while (name.starts_with("../")) name.erase(0, 3);
  std::ranges::replace(name, '/', '.');
  return name;
}

class Suites {
 public:
  Suites(const RunResult& result, const RunRequest& request, std::string_view program)
      : result_(result), request_(request), program_(program) {}

  std::string text();

 private:
  void add_suite(const std::string& file);
  void add_case(pugi::xml_node suite, const RunPlan::Test& test);
  void add_verdict(pugi::xml_node test_case, const model::TestReport& report);
  void add_properties(pugi::xml_node suite);
  std::string story_of(const model::TestReport& report) const;

  const RunResult& result_;
  const RunRequest& request_;
  std::string_view program_;
  pugi::xml_document document_ = {};
  pugi::xml_node root_ = {};
};

const char* element_of(Weight weight) {
  switch (weight) {
    case Weight::kSilent:
      return "skipped";
    case Weight::kBad:
      return "failure";
    case Weight::kGood:
    case Weight::kError:
      break;
  }
  return "error";
}

std::string Suites::story_of(const model::TestReport& report) const {
  const Paint plain(false);
  std::string out;
  for (const model::Finding& finding : report.findings) out += finding_lines(finding, plain);
  for (const std::string& note : report.notes) out += fmt::format("  note: {}\n", note);
  if (!report.event_log.empty()) out += fmt::format("  events: {}\n", report.event_log);
  const RunPlan::Test test = {.file = report.spec, .name = report.test};
  out += "  again: " + again_command(program_, request_, test, result_.plan.seed) + "\n";
  return out;
}

void Suites::add_verdict(pugi::xml_node test_case, const model::TestReport& report) {
  const Weight weight = weight_of(report.outcome, request_.strict);
  if (weight == Weight::kGood) return;
  pugi::xml_node verdict = test_case.append_child(element_of(weight));
  set(verdict, "type", model::outcome_name(report.outcome));
  set(verdict, "message", reason_of(report));
  set_text(verdict, story_of(report));
}

void add_property(pugi::xml_node properties, const char* name, std::string_view value) {
  pugi::xml_node property = properties.append_child("property");
  set(property, "name", name);
  set(property, "value", value);
}

/// The control that the test stands on, and where the files are that it kept.
void add_case_properties(pugi::xml_node test_case, const model::TestReport& report) {
  if (!report.control && report.attachments.empty()) return;
  pugi::xml_node properties = test_case.append_child("properties");
  if (report.control) {
    const model::ControlReport& control = *report.control;
    add_property(
        properties, "misrule.control",
        fmt::format("{} in {} s", model::outcome_name(control.outcome), seconds(control.took)));
  }
  const std::filesystem::path folder = std::filesystem::path(report.event_log).parent_path();
  for (const model::Attachment& kept : report.attachments) {
    add_property(properties, "misrule.attachment", (folder / kept.file).string());
  }
}

void Suites::add_case(pugi::xml_node suite, const RunPlan::Test& test) {
  pugi::xml_node test_case = suite.append_child("testcase");
  set(test_case, "name", test.name);
  set(test_case, "classname", class_of(test.file));
  set(test_case, "file", test.file);
  if (test.line > 0) set(test_case, "line", std::to_string(test.line));
  const auto of_test = [&test](const model::TestReport& report) {
    return report.test == test.name && report.spec == test.file;
  };
  const auto report = std::ranges::find_if(result_.reports, of_test);
  const bool begun = report != result_.reports.end();
  set(test_case, "time", seconds(begun ? report->took : Duration{}));
  if (begun) {
    add_case_properties(test_case, *report);
    add_verdict(test_case, *report);
    return;
  }
  pugi::xml_node skipped = test_case.append_child("skipped");
  set(skipped, "type", "not run");
  set(skipped, "message", "the run ended before this test began");
}

void Suites::add_properties(pugi::xml_node suite) {
  pugi::xml_node properties = suite.append_child("properties");
  add_property(properties, "misrule.run", result_.plan.run_id);
  add_property(properties, "misrule.seed", std::to_string(result_.plan.seed));
  for (const std::string& stand_in : result_.plan.stand_ins) {
    add_property(properties, "misrule.stand_in", stand_in);
  }
}

void Suites::add_suite(const std::string& file) {
  pugi::xml_node suite = root_.append_child("testsuite");
  set(suite, "name", file);
  add_properties(suite);
  Duration took = {};
  for (const RunPlan::Test& test : result_.plan.tests) {
    if (test.file == file) add_case(suite, test);
  }
  for (const model::TestReport& report : result_.reports) {
    if (report.spec == file) took += report.took;
  }
  for (const SpecProblem& problem : result_.problems) {
    if (problem.file != file) continue;
    pugi::xml_node test_case = suite.append_child("testcase");
    set(test_case, "name", "the spec loads");
    set(test_case, "classname", class_of(file));
    if (!file.empty()) set(test_case, "file", file);
    set(test_case, "time", "0.000");
    pugi::xml_node error = test_case.append_child("error");
    set(error, "type", "spec");
    set(error, "message", printable(problem.finding.message));
    set_text(error, problem.rendered);
  }
  set(suite, "time", seconds(took));
}

/// What readers may ask a suite for although they could count.
void count_cases(pugi::xml_node node) {
  const auto count = [&node](const char* path) {
    return std::to_string(node.select_nodes(path).size());
  };
  set(node, "tests", count(".//testcase"));
  set(node, "failures", count(".//failure"));
  set(node, "errors", count(".//error"));
  set(node, "skipped", count(".//skipped"));
}

std::string Suites::text() {
  root_ = document_.append_child("testsuites");
  set(root_, "name", "misrule");
  std::vector<std::string> files;
  const auto note = [&files](const std::string& file) {
    if (std::ranges::find(files, file) == files.end()) files.push_back(file);
  };
  for (const RunPlan::Test& test : result_.plan.tests) note(test.file);
  for (const SpecProblem& problem : result_.problems) note(problem.file);
  for (const std::string& file : files) add_suite(file);
  set(root_, "time", seconds(result_.took));
  for (pugi::xml_node suite : root_.children("testsuite")) count_cases(suite);
  count_cases(root_);
  std::ostringstream out;
  document_.save(out, "  ");
  return std::move(out).str();
}

}  // namespace

std::string run_to_junit(const RunResult& result, const RunRequest& request,
                         std::string_view program) {
  return Suites(result, request, program).text();
}

}  // namespace misrule::controller
