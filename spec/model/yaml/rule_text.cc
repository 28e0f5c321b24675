#include "spec/model/yaml/rule_text.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include "spec/model/yaml/yaml_reader.h"

namespace misrule::model {
namespace {

constexpr std::string_view kSchema = "misrule.rules/1";

Status check_rule_parts(const YamlReader& reader, const YAML::Node& node, const Rule& rule) {
  if (!rule.has_id() || rule.id().empty()) return reader.refuse(node.Mark(), "a rule has an id");
  if (rule.action_case() == Rule::ACTION_NOT_SET) {
    return reader.refuse(
        node.Mark(), fmt::format("rule {} has no action: deny, delay, error or drop", rule.id()));
  }
  return {};
}

Status check_rules(const YamlReader& reader, const YAML::Node& rules, const TestRules& test) {
  std::set<std::string> ids;
  for (int r = 0; r < test.rules_size(); ++r) {
    const YAML::Node node = rules[static_cast<std::size_t>(r)];
    MISRULE_TRY_VOID(check_rule_parts(reader, node, test.rules(r)));
    if (ids.insert(test.rules(r).id()).second) continue;
    return reader.refuse(node.Mark(), fmt::format("two rules have the id {}", test.rules(r).id()));
  }
  return {};
}

Status check_file(const YamlReader& reader, const YAML::Node& root, const RuleFile& file) {
  if (file.schema() != kSchema) {
    return reader.refuse(root.Mark(),
                         fmt::format("schema is \"{}\", want {}", file.schema(), kSchema));
  }
  std::set<std::string> tests;
  for (int t = 0; t < file.tests_size(); ++t) {
    const YAML::Node node = root["tests"][static_cast<std::size_t>(t)];
    const TestRules& test = file.tests(t);
    if (test.test().empty()) return reader.refuse(node.Mark(), "a test has its name as \"test\"");
    if (!tests.insert(test.test()).second) {
      return reader.refuse(node.Mark(), fmt::format("test {} stands here twice", test.test()));
    }
    MISRULE_TRY_VOID(check_rules(reader, node["rules"], test));
  }
  return {};
}

/// A plain list for one proxy: an id may be left out.
Status check_list(const YamlReader& reader, const YAML::Node& items, RuleSet& set) {
  std::set<std::string> ids;
  for (int i = 0; i < set.rules_size(); ++i) {
    Rule& rule = *set.mutable_rules(i);
    if (rule.id().empty())
      rule.set_id(rule.label().empty() ? fmt::format("rule-{}", i + 1) : rule.label());
    const YAML::Node node = items[static_cast<std::size_t>(i)];
    MISRULE_TRY_VOID(check_rule_parts(reader, node, rule));
    if (ids.insert(rule.id()).second) continue;
    return reader.refuse(node.Mark(), fmt::format("two rules have the id {}", rule.id()));
  }
  return {};
}

/// Ids are unique in a test, and need not be in a file: then the test's name goes in front.
void add_test(const TestRules& test, ProxyRules& armed, std::set<std::string>& ids) {
  for (const Rule& rule : test.rules()) {
    Rule& added = *armed.rules.add_rules();
    added = rule;
    if (!ids.insert(rule.id()).second) added.set_id(test.test() + "/" + rule.id());
  }
  for (const Rule& rule : test.dynamic()) armed.templates.push_back(rule.id());
}

ProxyRules all_of(const RuleFile& file) {
  ProxyRules armed{.of_whole_spec = true};
  std::set<std::string> ids;
  for (const TestRules& test : file.tests()) add_test(test, armed, ids);
  return armed;
}

Result<RuleFile> file_from(const YAML::Node& root, const std::string& name) {
  YamlReader reader(name);
  RuleFile file;
  MISRULE_TRY_VOID(reader.read_message(root, file));
  MISRULE_TRY_VOID(check_file(reader, root, file));
  return file;
}

Result<ProxyRules> list_from(const YAML::Node& root, const std::string& name) {
  YamlReader reader(name);
  ProxyRules armed;
  MISRULE_TRY_VOID(reader.read_message(root, armed.rules));
  MISRULE_TRY_VOID(check_list(reader, root["rules"], armed.rules));
  return armed;
}

/// JSON of programs, of which there may be much, does not take the way over YAML unless it is
/// wrong.
bool is_json_list(std::string_view text, RuleSet& rules) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{') return false;
  const google::protobuf::StringPiece json(text.data(), text.size());
  if (!google::protobuf::util::JsonStringToMessage(json, &rules).ok()) return false;
  std::set<std::string_view> ids;
  return std::ranges::all_of(rules.rules(), [&](const Rule& rule) {
    return !rule.id().empty() && rule.action_case() != Rule::ACTION_NOT_SET &&
           ids.insert(rule.id()).second;
  });
}

bool is_rule_file(const YAML::Node& root) {
  return root.IsMap() && (root["schema"].IsDefined() || root["tests"].IsDefined());
}

/// Every rule of the text in the order of ProxyRules.
std::vector<YAML::Node> rule_nodes(const YAML::Node& root) {
  std::vector<YAML::Node> nodes;
  if (!is_rule_file(root)) {
    for (const auto& node : root["rules"]) nodes.push_back(node);
    return nodes;
  }
  for (const auto& test : root["tests"]) {
    for (const auto& node : test["rules"]) nodes.push_back(node);
  }
  return nodes;
}

/// The value of the first key of this name, at any depth of a rule.
std::optional<YAML::Mark> mark_of(const YAML::Node& node, std::string_view field) {
  if (!node.IsMap()) return std::nullopt;
  for (const auto& entry : node) {
    if (entry.first.Scalar() == field) return entry.second.Mark();
    if (const auto within = mark_of(entry.second, field)) return within;
  }
  return std::nullopt;
}

/// yaml-cpp also throws where a text is asked for what it does not have.
template <class Work>
auto guarded(const std::string& name, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const YAML::Exception& error) {
    return fail(Code::kInvalid, place_text(name, error.mark) + ": " + error.msg);
  }
}

}  // namespace

Result<RuleFile> rules_from_yaml(std::string_view text, const std::string& name) {
  return guarded(name, [&]() -> Result<RuleFile> {
    MISRULE_TRY(const YAML::Node root, parse_yaml(text, name));
    return file_from(root, name);
  });
}

Result<ProxyRules> proxy_rules_from_text(std::string_view text, const std::string& name) {
  ProxyRules armed;
  if (is_json_list(text, armed.rules)) return armed;
  return guarded(name, [&]() -> Result<ProxyRules> {
    MISRULE_TRY(const YAML::Node root, parse_yaml(text, name));
    if (root.IsNull()) return ProxyRules{};
    if (!is_rule_file(root)) return list_from(root, name);
    MISRULE_TRY(const RuleFile file, file_from(root, name));
    return all_of(file);
  });
}

std::string place_of_rule(std::string_view text, const std::string& name, std::size_t index,
                          std::string_view field) {
  const auto place = guarded(name, [&]() -> Result<std::string> {
    MISRULE_TRY(const YAML::Node root, parse_yaml(text, name));
    const std::vector<YAML::Node> nodes = rule_nodes(root);
    if (index >= nodes.size()) return name;
    const auto within = field.empty() ? std::nullopt : mark_of(nodes[index], field);
    return place_text(name, within.value_or(nodes[index].Mark()));
  });
  return place.value_or(name);
}

Result<ProxyFile> proxies_from_yaml(std::string_view text, const std::string& name) {
  return guarded(name, [&]() -> Result<ProxyFile> {
    MISRULE_TRY(const YAML::Node root, parse_yaml(text, name));
    YamlReader reader(name);
    ProxyFile file;
    MISRULE_TRY_VOID(reader.read_message(root, file));
    if (file.proxies().empty()) return reader.refuse(root.Mark(), "\"proxies\" names none");
    for (int i = 0; i < file.proxies_size(); ++i) {
      const ProxyRoute& route = file.proxies(i);
      if (!route.listen().empty() && !route.upstream().empty()) continue;
      return reader.refuse(root["proxies"][static_cast<std::size_t>(i)].Mark(),
                           "a proxy has \"listen\" and \"upstream\"");
    }
    return file;
  });
}

}  // namespace misrule::model
