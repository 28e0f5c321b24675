#include "controller/starter/compose_file.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "controller/starter/compose_values.h"

namespace misrule::controller {

namespace {

namespace fs = std::filesystem;

// Of files that include or extend each other.
constexpr std::size_t kDepthMax = 32;

/// Key and value, as nodes: they know their lines.
using VisitPair = std::function<void(const YAML::Node& key, const YAML::Node& value)>;

void for_each_pair(const YAML::Node& map, const VisitPair& visit);

/// What `<<` brings of a mapping, or of several, and `own` has not.
void for_each_merged(const YAML::Node& node, std::set<std::string>& own, const VisitPair& visit) {
  if (node.IsSequence()) {
    for (const YAML::Node& other : node) for_each_merged(other, own, visit);
    return;
  }
  for_each_pair(node, [&](const YAML::Node& key, const YAML::Node& value) {
    if (own.insert(key.as<std::string>()).second) visit(key, value);
  });
}

void for_each_pair(const YAML::Node& map, const VisitPair& visit) {
  if (!map.IsDefined() || !map.IsMap()) return;
  std::set<std::string> own;
  for (const auto& entry : map) own.insert(entry.first.as<std::string>());
  for (const auto& entry : map) {
    if (entry.first.as<std::string>() == "<<") {
      for_each_merged(entry.second, own, visit);
    } else {
      visit(entry.first, entry.second);
    }
  }
}

void put(YAML::Node& map, const YAML::Node& key, const YAML::Node& value) {
  map.remove(key.as<std::string>());
  map.force_insert(key, value);
}

std::string with_defaults(const std::string& text) {
  std::string out;
  for (const ValuePiece& piece : split_variables(text)) out += piece.text;
  return out;
}

/// A list, or what may stand in the place of a list of one.
std::vector<YAML::Node> items_of(const YAML::Node& node) {
  if (!node.IsDefined() || node.IsNull()) return {};
  if (!node.IsSequence()) return {node};
  return {node.begin(), node.end()};
}

/// A mapping without `<<`, which can be written to without changing where it came from.
YAML::Node own_copy(const YAML::Node& map) {
  YAML::Node copy(YAML::NodeType::Map);
  for_each_pair(map,
                [&](const YAML::Node& key, const YAML::Node& value) { put(copy, key, value); });
  return copy;
}

/// environment and depends_on may be lists; merged they are mappings.
YAML::Node as_mapping(const std::string& key, const YAML::Node& node) {
  if (!node.IsSequence()) return own_copy(node);
  YAML::Node map(YAML::NodeType::Map);
  for (const YAML::Node& item : node) {
    const std::string text = text_of(item);
    const std::size_t equals = key == "environment" ? text.find('=') : text.npos;
    map[text.substr(0, equals)] = equals == text.npos ? YAML::Node(YAML::NodeType::Null)
                                                      : YAML::Node(text.substr(equals + 1));
  }
  return map;
}

bool is_mapping_key(const std::string& key) {
  return key == "environment" || key == "depends_on" || key == "healthcheck" || key == "build";
}

bool is_list_key(const std::string& key) {
  return key == "ports" || key == "expose" || key == "volumes" || key == "env_file";
}

YAML::Node merged_value(const std::string& key, const YAML::Node& base, const YAML::Node& own) {
  if (is_list_key(key)) {
    YAML::Node all(YAML::NodeType::Sequence);
    for (const YAML::Node* list : {&base, &own}) {
      for (const YAML::Node& item : items_of(*list)) all.push_back(item);
    }
    return all;
  }
  const bool both_map = !base.IsScalar() && !own.IsScalar();
  if (!is_mapping_key(key) || !both_map) return own;
  YAML::Node all = as_mapping(key, base);
  for_each_pair(as_mapping(key, own),
                [&](const YAML::Node& name, const YAML::Node& value) { put(all, name, value); });
  return all;
}

/// What a service has of the one that it extends, and its own, which wins.
YAML::Node merged(const YAML::Node& base, const YAML::Node& own) {
  YAML::Node all = own_copy(base);
  for_each_pair(own, [&](const YAML::Node& key, const YAML::Node& value) {
    const auto name = key.as<std::string>();
    const YAML::Node before = all[name];
    put(all, key, before.IsDefined() ? merged_value(name, before, value) : value);
  });
  return all;
}

/// A path of another file's folder, so that it means the same from anywhere.
std::string absolute_path(const fs::path& folder, const std::string& path) {
  const bool is_named = path.empty() || path.starts_with("/") || path.contains("://");
  return is_named ? path : (folder / path).lexically_normal().string();
}

YAML::Node rebased_item(const fs::path& folder, const std::string& key, const YAML::Node& item) {
  if (key == "env_file" && item.IsMap()) {
    YAML::Node moved = own_copy(item);
    moved["path"] = absolute_path(folder, text_of(item["path"]));
    return moved;
  }
  const std::string text = text_of(item);
  if (key == "env_file") return YAML::Node(absolute_path(folder, text));
  // Of a volume only what begins like a path is one.
  return text.starts_with(".") ? YAML::Node(absolute_path(folder, text)) : item;
}

/// A service of another folder as it means the same here; its lines are not those of this file.
YAML::Node rebased(const fs::path& folder, const YAML::Node& service) {
  YAML::Node out = YAML::Clone(service);
  const YAML::Node build = out["build"];
  if (build.IsDefined() && build.IsScalar()) {
    out["build"] = absolute_path(folder, build.Scalar());
  } else if (build.IsDefined() && build.IsMap() && build["context"].IsDefined()) {
    YAML::Node moved = own_copy(build);
    moved["context"] = absolute_path(folder, text_of(build["context"]));
    out["build"] = moved;
  }
  for (const char* key : {"env_file", "volumes"}) {
    if (!out[key].IsDefined()) continue;
    YAML::Node list(YAML::NodeType::Sequence);
    for (const YAML::Node& item : items_of(out[key])) {
      list.push_back(rebased_item(folder, key, item));
    }
    out[key] = list;
  }
  return out;
}

class Loader {
 public:
  explicit Loader(const std::string& file) : first_(file) {}

  Status load(const fs::path& file, std::size_t depth = 0);
  ComposeFile take() && { return std::move(found_); }

 private:
  std::string name_of(const fs::path& file) const {
    return file == first_ ? std::string() : file.string();
  }
  void remark(const fs::path& file, unsigned line, std::string text) {
    found_.remarks.push_back({.line = line, .text = std::move(text), .file = name_of(file)});
  }
  Status include(const fs::path& from, const YAML::Node& node, std::size_t depth);
  Status include_one(const fs::path& from, const YAML::Node& path, std::size_t depth);
  Status add_services(const fs::path& file, const YAML::Node& services);
  Status add_service(const fs::path& file, const YAML::Node& services, const std::string& name,
                     unsigned line);
  Result<YAML::Node> extended(const fs::path& file, const YAML::Node& services,
                              const std::string& name, std::size_t depth);
  Result<YAML::Node> base_of(const fs::path& file, const YAML::Node& services,
                             const YAML::Node& extends, std::size_t depth);
  /// Puts what env_file names into `environment`, which wins.
  void add_env_files(const fs::path& file, const std::string& name, YAML::Node& service);

  fs::path first_;
  ComposeFile found_ = {};
};

Status Loader::load(const fs::path& file, std::size_t depth) {
  if (depth > kDepthMax) {
    return fail(Code::kInvalid, fmt::format("{}: it includes itself", file.string()));
  }
  Status first = {};
  const auto read = [&](const std::string& key, const YAML::Node& value, unsigned line) {
    const bool says_nothing = key == "version" || key == "name" || key.starts_with("x-");
    if (!first || says_nothing) return;
    if (key == "include") {
      first = include(file, value, depth);
    } else if (key == "services") {
      first = add_services(file, value);
    } else {
      remark(file, line, fmt::format("{} is not used", key));
    }
  };
  for_each_entry(YAML::LoadFile(file.string()), read);
  return first;
}

Status Loader::add_services(const fs::path& file, const YAML::Node& services) {
  Status first = {};
  for_each_entry(services, [&](const std::string& name, const YAML::Node&, unsigned line) {
    if (first) first = add_service(file, services, name, line);
  });
  return first;
}

/// An entry is a path, or has one or several below `path`; relative to the file that includes it.
Status Loader::include(const fs::path& from, const YAML::Node& node, std::size_t depth) {
  for (const YAML::Node& entry : items_of(node)) {
    for (const YAML::Node& path : items_of(entry.IsMap() ? entry["path"] : entry)) {
      MISRULE_TRY_VOID(include_one(from, path, depth));
    }
  }
  return {};
}

Status Loader::include_one(const fs::path& from, const YAML::Node& path, std::size_t depth) {
  const fs::path file = from.parent_path() / with_defaults(text_of(path));
  std::error_code ignored;
  if (fs::is_regular_file(file, ignored)) return load(file.lexically_normal(), depth + 1);
  return fail(Code::kNotFound, fmt::format("{}:{}: include: there is no {}", from.string(),
                                           line_of(path), file.string()));
}

Status Loader::add_service(const fs::path& file, const YAML::Node& services,
                           const std::string& name, unsigned line) {
  MISRULE_TRY(YAML::Node service, extended(file, services, name, 0));
  std::vector<std::string> profiles;
  for (const YAML::Node& profile : items_of(service["profiles"])) {
    profiles.push_back(text_of(profile));
  }
  if (!profiles.empty()) {
    remark(file, line,
           fmt::format("{}: left out, as compose does unless --profile {} is given", name,
                       fmt::join(profiles, " or ")));
    return {};
  }
  const auto same = std::ranges::find(found_.services, name, &ComposeService::name);
  if (same != found_.services.end()) {
    return fail(Code::kInvalid,
                fmt::format("{}:{}: {} is there already, by include", file.string(), line, name));
  }
  add_env_files(file, name, service);
  for (const char* done : {"extends", "env_file", "profiles"}) service.remove(done);
  found_.services.push_back({.name = name,
                             .node = service,
                             .file = name_of(file),
                             .folder = fs::absolute(file).parent_path(),
                             .line = line});
  return {};
}

Result<YAML::Node> Loader::extended(const fs::path& file, const YAML::Node& services,
                                    const std::string& name, std::size_t depth) {
  YAML::Node own(YAML::NodeType::Undefined);
  for_each_entry(services, [&](const std::string& key, const YAML::Node& value, unsigned) {
    if (key == name) own.reset(value);
  });
  if (!own.IsDefined()) {
    return fail(Code::kInvalid,
                fmt::format("{}: extends: there is no service {}", file.string(), name));
  }
  YAML::Node service = own_copy(own);
  const YAML::Node extends = service["extends"];
  if (!extends.IsDefined()) return service;
  MISRULE_TRY(const YAML::Node base, base_of(file, services, extends, depth));
  service.remove("extends");
  return merged(base, service);
}

Result<YAML::Node> Loader::base_of(const fs::path& file, const YAML::Node& services,
                                   const YAML::Node& extends, std::size_t depth) {
  if (depth > kDepthMax) {
    return fail(Code::kInvalid,
                fmt::format("{}:{}: a service extends itself", file.string(), line_of(extends)));
  }
  const std::string name = text_of(extends.IsMap() ? extends["service"] : extends);
  const std::string other = extends.IsMap() ? text_of(extends["file"]) : std::string();
  if (other.empty()) return extended(file, services, name, depth + 1);
  const fs::path there = (file.parent_path() / with_defaults(other)).lexically_normal();
  std::error_code ignored;
  if (!fs::is_regular_file(there, ignored)) {
    return fail(Code::kNotFound, fmt::format("{}:{}: extends: there is no {}", file.string(),
                                             line_of(extends), there.string()));
  }
  const YAML::Node root = YAML::LoadFile(there.string());
  MISRULE_TRY(const YAML::Node base, extended(there, root["services"], name, depth + 1));
  return rebased(fs::absolute(there).parent_path(), base);
}

void Loader::add_env_files(const fs::path& file, const std::string& name, YAML::Node& service) {
  const YAML::Node files = service["env_file"];
  if (!files.IsDefined()) return;
  YAML::Node all(YAML::NodeType::Map);
  for (const YAML::Node& item : items_of(files)) {
    const fs::path path =
        file.parent_path() / with_defaults(text_of(item.IsMap() ? item["path"] : item));
    std::ifstream stream(path);
    const bool may_be_missing = item.IsMap() && text_of(item["required"]) == "false";
    if (!stream && !may_be_missing) {
      remark(file, line_of(item), fmt::format("{}: env_file {} is not there", name, path.string()));
    }
    std::stringstream text;
    text << stream.rdbuf();
    for (const auto& [key, value] : variables_of_file(text.str())) all[key] = value;
  }
  const YAML::Node own = service["environment"];
  service["environment"] = own.IsDefined() ? merged_value("environment", all, own) : all;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// A value as it stands behind the equals sign.
std::string unquoted(std::string_view value) {
  value = trimmed(value);
  const char quote = value.empty() ? '\0' : value.front();
  if (quote == '"' || quote == '\'') {
    const std::size_t end = value.find(quote, 1);
    std::string text(value.substr(1, end == value.npos ? value.npos : end - 1));
    if (quote == '"') return text;
    for (std::size_t at = 0; (at = text.find('$', at)) != text.npos; at += 2) text.insert(at, "$");
    return text;
  }
  const std::size_t comment = value.find(" #");
  return std::string(trimmed(value.substr(0, comment)));
}

}  // namespace

void for_each_entry(const YAML::Node& map, const VisitEntry& visit) {
  for_each_pair(map, [&](const YAML::Node& key, const YAML::Node& value) {
    visit(key.as<std::string>(), value, line_of(key));
  });
}

std::string text_of(const YAML::Node& node) {
  return node.IsDefined() && node.IsScalar() ? node.Scalar() : "";
}

unsigned line_of(const YAML::Node& node) { return static_cast<unsigned>(node.Mark().line + 1); }

Variables variables_of_file(std::string_view text) {
  Variables variables;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("export ")) line = trimmed(line.substr(7));
    const std::size_t equals = line.find('=');
    if (line.empty() || line.starts_with('#') || equals == line.npos) continue;
    variables.emplace_back(trimmed(line.substr(0, equals)), unquoted(line.substr(equals + 1)));
  }
  return variables;
}

Result<ComposeFile> load_compose(const std::string& file) {
  Loader loader(file);
  MISRULE_TRY_VOID(loader.load(file));
  return std::move(loader).take();
}

}  // namespace misrule::controller
