#include "controller/run/file_rules.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "interceptor/interceptor.h"
#include "proxy/proxy.h"
#include "spec/dsl/rule_assembly.h"
#include "spec/starlark/diagnostic.h"

namespace misrule::controller {
namespace {

std::string did_you_mean(const std::string& name, const std::vector<std::string>& known) {
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  return star::did_you_mean(name, candidates);
}

Status check_name(const char* what, const std::string& name,
                  const std::vector<std::string>& known) {
  if (std::ranges::find(known, name) != known.end()) return {};
  return fail(Code::kInvalid,
              fmt::format("there is no {} '{}'{}", what, name, did_you_mean(name, known)));
}

Status check_syscall_rule(const model::Topology& topology, const model::Rule& rule) {
  std::vector<std::string> services;
  services.reserve(topology.services.size());
  for (const model::Service& service : topology.services) services.push_back(service.name);
  MISRULE_TRY_VOID(check_name("service", rule.target().service(), services));
  MISRULE_TRY_VOID(
      check_name("family of system calls", rule.syscall().family(), interceptor::families()));
  if (rule.syscall().has_to()) {
    MISRULE_TRY_VOID(check_name("service", rule.syscall().to().service(), services));
  }
  if (!rule.has_deny()) return {};
  return check_name("errno", rule.deny().error(), interceptor::errno_names());
}

Status check_rule(const model::Topology& topology, model::Rule rule) {
  if (!rule.has_syscall()) MISRULE_TRY_VOID(proxy::check_rule(topology, rule));
  Status legal = rule.has_syscall() ? check_syscall_rule(topology, rule) : Status();
  if (legal) legal = dsl::check_can_match(rule);
  if (legal) return legal;
  return std::unexpected(std::move(legal).error().with(fmt::format("rule '{}'", rule.id())));
}

std::vector<std::string> test_names(const LoadedSpec& spec) {
  std::vector<std::string> names;
  for (const dsl::Test& test : spec.spec->tests()) names.push_back(test.name);
  return names;
}

/// Is this the spec that a rule file names? `misrule compile` may have run in another folder.
bool is_spec_of(const model::RuleFile& file, const std::string& spec) {
  namespace fs = std::filesystem;
  if (file.spec().empty()) return true;
  std::error_code error;
  if (fs::exists(file.spec(), error)) return fs::equivalent(file.spec(), spec, error);
  const fs::path named = fs::path(file.spec()).lexically_normal();
  const fs::path whole = fs::absolute(spec, error).lexically_normal();
  const auto parts = std::distance(named.begin(), named.end());
  if (std::distance(whole.begin(), whole.end()) < parts) return false;
  return std::equal(named.begin(), named.end(), std::prev(whole.end(), parts));
}

Status check_test_rules(const model::TestRules& test, const std::vector<const LoadedSpec*>& specs) {
  std::vector<std::string> known;
  bool found = false;
  for (const LoadedSpec* spec : specs) {
    const std::vector<std::string> names = test_names(*spec);
    known.insert(known.end(), names.begin(), names.end());
    if (std::ranges::find(names, test.test()) == names.end()) continue;
    found = true;
    for (const model::Rule& rule : test.rules()) {
      MISRULE_TRY_VOID(check_rule(spec->spec->topology(), rule));
    }
  }
  return found ? Status() : check_name("test", test.test(), known);
}

}  // namespace

std::vector<model::Rule> file_rules_of(const model::RuleFile& file, const std::string& spec,
                                       const std::string& test) {
  std::vector<model::Rule> rules;
  if (!is_spec_of(file, spec)) return rules;
  for (const model::TestRules& one : file.tests()) {
    if (one.test() == test) rules.insert(rules.end(), one.rules().begin(), one.rules().end());
  }
  return rules;
}

Status check_file_rules(const model::RuleFile& file, const std::string& name,
                        const std::vector<LoadedSpec>& specs) {
  std::vector<const LoadedSpec*> meant;
  for (const LoadedSpec& spec : specs) {
    if (is_spec_of(file, spec.file)) meant.push_back(&spec);
  }
  if (meant.empty()) {
    return fail(Code::kInvalid, fmt::format("--rules {}: its rules are those of {}, which is not "
                                            "among the specs that run",
                                            name, file.spec()));
  }
  for (const model::TestRules& test : file.tests()) {
    if (test.rules().empty()) continue;
    Status checked = check_test_rules(test, meant);
    if (!checked) {
      return std::unexpected(
          std::move(checked).error().with(fmt::format("--rules {}: {}", name, test.test())));
    }
  }
  return {};
}

}  // namespace misrule::controller
