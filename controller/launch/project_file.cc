#include "controller/launch/project_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include "base/nearest.h"
#include "spec/model/dsn.h"
#include "spec/starlark/diagnostic.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileName = "misrule.toml";
constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;
constexpr std::string_view kTable = "stand-ins";
constexpr std::array<std::string_view, 4> kEntryKeys = {"command", "cwd", "env", "setup"};

/// Each function returns false once something is wrong; the first mistake is the one that is told.
class ProjectReader {
 public:
  ProjectReader(std::string name, std::string_view text)
      : file_(std::make_shared<star::SourceFile>(std::move(name), std::string(text))) {}

  std::expected<ProjectFile, ProjectProblem> read();

 private:
  bool take_tables(const toml::table& root);
  bool take_entry(const toml::key& key, const toml::node& node);
  bool take_member(ProgramEntry& entry, const toml::key& key, const toml::node& node);
  bool take_words(const toml::key& key, const toml::node& node, std::vector<std::string>& words);
  bool take_env(const toml::node& node, ProgramEntry& entry);
  bool take_text(const std::string& what, const toml::node& node, std::string& text);
  bool refuse(const toml::source_region& at, std::string message, std::string help);
  std::uint32_t offset_of(const toml::source_position& at) const;
  star::Span span_of(const toml::source_region& at) const;

  std::shared_ptr<const star::SourceFile> file_;
  ProjectFile project_ = {};
  ProjectProblem problem_ = {};
};

// The library counts lines and columns; its columns are code points.
std::uint32_t ProjectReader::offset_of(const toml::source_position& at) const {
  const std::string& all = file_->text();
  std::size_t offset = 0;
  for (toml::source_index line = 1; line < at.line; ++line) {
    const std::size_t end = all.find('\n', offset);
    if (end == std::string::npos) break;
    offset = end + 1;
  }
  const auto continues = [&](std::size_t i) {
    return i < all.size() && (static_cast<unsigned char>(all[i]) & 0xC0U) == 0x80U;
  };
  for (toml::source_index column = 1; column < at.column && offset < all.size(); ++column) {
    if (all[offset] == '\n') break;
    ++offset;
    while (continues(offset)) ++offset;
  }
  return static_cast<std::uint32_t>(std::min(offset, all.size()));
}

star::Span ProjectReader::span_of(const toml::source_region& at) const {
  const std::uint32_t begin = offset_of(at.begin);
  const std::uint32_t end = at.end.line > 0 ? offset_of(at.end) : begin;
  return {file_.get(), begin, std::max(begin, end)};
}

bool ProjectReader::refuse(const toml::source_region& at, std::string message, std::string help) {
  const star::Diagnostic diagnostic = {.code = std::string(star::code::kValue),
                                       .message = std::move(message),
                                       .help = std::move(help),
                                       .at = span_of(at)};
  const star::Position position = diagnostic.at.position();
  problem_ = {.finding = {.message = diagnostic.message,
                          .position = {.file = file_->path(),
                                       .line = position.line,
                                       .column = position.column},
                          .source_line = std::string(file_->line(position.line)),
                          .hint = diagnostic.help},
              .rendered = star::render(diagnostic, false)};
  return false;
}

bool ProjectReader::take_text(const std::string& what, const toml::node& node, std::string& text) {
  const auto value = node.value_exact<std::string>();
  if (!value) return refuse(node.source(), what + " is no text", "text stands in quotes");
  if (value->contains('\0')) {
    return refuse(node.source(), what + " holds a NUL byte", "no program can be given one");
  }
  text = *value;
  return true;
}

bool ProjectReader::take_words(const toml::key& key, const toml::node& node,
                               std::vector<std::string>& words) {
  const std::string name(key.str());
  const std::string example = name + R"( = ["python3", "app.py"]; no shell reads it)";
  const toml::array* list = node.as_array();
  if (list == nullptr) return refuse(node.source(), name + " is no list of words", example);
  for (const toml::node& word : *list) {
    if (!take_text("a word of " + name, word, words.emplace_back())) return false;
  }
  if (!words.empty() && !words.front().empty()) return true;
  return refuse(node.source(), name + " names no program", example);
}

bool ProjectReader::take_env(const toml::node& node, ProgramEntry& entry) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return refuse(node.source(), "env is no table", R"(env = { WORKERS = "1" })");
  }
  for (const auto& [name, value] : *table) {
    auto& [variable, text] = entry.env.emplace_back(name.str(), "");
    if (variable.empty() ||
        variable.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      return refuse(name.source(), fmt::format("{:?} is no name of a variable", variable),
                    "a name is not empty and holds no =");
    }
    if (!take_text("env " + variable, value, text)) return false;
    entry.env_spans.push_back(span_of(value.source()));
  }
  return true;
}

bool ProjectReader::take_member(ProgramEntry& entry, const toml::key& key, const toml::node& node) {
  if (key == "command") return take_words(key, node, entry.command);
  if (key == "setup") return take_words(key, node, entry.setup);
  if (key == "env") return take_env(node, entry);
  if (key == "cwd") return take_text("cwd", node, entry.cwd);
  return refuse(key.source(),
                fmt::format("[stand-ins.{:?}] has no key {:?}{}", entry.key, key.str(),
                            did_you_mean(key.str(), kEntryKeys)),
                fmt::format("it has {}", fmt::join(kEntryKeys, ", ")));
}

bool ProjectReader::take_entry(const toml::key& key, const toml::node& node) {
  ProgramEntry& entry =
      project_.stand_ins.emplace_back(ProgramEntry{.key = std::string(key.str())});
  const std::string header = fmt::format("[stand-ins.{:?}]", entry.key);
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return refuse(node.source(), fmt::format("stand-ins.{:?} is no table", entry.key),
                  header + " on a line of its own, what it says below");
  }
  for (const auto& [name, value] : *table) {
    if (!take_member(entry, name, value)) return false;
  }
  if (!entry.command.empty()) return true;
  return refuse(key.source(), header + " does not say what runs",
                R"(command = ["python3", "app.py"])");
}

bool ProjectReader::take_tables(const toml::table& root) {
  for (const auto& [key, node] : root) {
    if (key != kTable) {
      const std::string_view known[] = {kTable};
      return refuse(
          key.source(),
          fmt::format("misrule.toml has no {:?}{}", key.str(), did_you_mean(key.str(), known)),
          "it has [stand-ins.\"IMAGE OR BUILD DIRECTORY\"]");
    }
    const toml::table* entries = node.as_table();
    if (entries == nullptr) {
      return refuse(node.source(), "stand-ins is no table", R"([stand-ins."myapp:latest"])");
    }
    for (const auto& [name, entry] : *entries) {
      if (!take_entry(name, entry)) return false;
    }
  }
  return true;
}

std::expected<ProjectFile, ProjectProblem> ProjectReader::read() {
  project_.path = file_->path();
  project_.source = file_;
  const toml::parse_result parsed = toml::parse(file_->text(), file_->path());
  const bool right =
      parsed ? take_tables(parsed.table())
             : refuse(parsed.error().source(), std::string(parsed.error().description()),
                      "the file is TOML, see https://toml.io");
  if (!right) return std::unexpected(std::move(problem_));
  return std::move(project_);
}

bool names(const std::vector<std::pair<std::string, std::string>>& env, std::string_view variable) {
  return std::ranges::any_of(env, [&](const auto& one) { return one.first == variable; });
}

ProjectProblem without_place(std::string message) {
  std::string rendered = "error: " + message;
  return {.finding = {.message = std::move(message)}, .rendered = std::move(rendered)};
}

}  // namespace

model::Service run_by(const ProgramEntry& entry, const model::Service& service) {
  model::Service whole = service;
  whole.cwd = !entry.cwd.empty() ? entry.cwd : service.build;
  if (entry.command.empty()) return whole;
  whole.binary = entry.command.front();
  whole.args.insert(whole.args.begin(), entry.command.begin() + 1, entry.command.end());
  return whole;
}

model::Service with_env_of(const ProjectFile& project, const model::Service& service) {
  model::Service whole = service;
  const ProgramEntry* entry = project.find(service);
  if (entry == nullptr) return whole;
  whole.env = entry->env;
  for (const auto& [name, value] : service.env) {
    std::erase_if(whole.env, [&](const auto& one) { return one.first == name; });
    whole.env.emplace_back(name, value);
  }
  return whole;
}

std::vector<std::string> doubts_about(const ProjectFile& project, const model::Topology& topology,
                                      const model::Service& service) {
  std::vector<std::string> doubts;
  const ProgramEntry* entry = project.find(service);
  if (entry == nullptr) return doubts;
  for (std::size_t i = 0; i < entry->env.size(); ++i) {
    // What the spec says itself is doubted where it is loaded.
    if (names(service.env, entry->env[i].first)) continue;
    auto doubt = model::doubt_about_env(topology, entry->env[i].first, entry->env[i].second);
    if (!doubt) continue;
    doubts.push_back(star::render({.severity = star::Severity::kWarning,
                                   .code = std::string(star::code::kLint),
                                   .message = *std::move(doubt),
                                   .help = std::string(model::kUncreatedHint),
                                   .at = entry->env_spans[i]},
                                  false));
  }
  return doubts;
}

const ProgramEntry* ProjectFile::find(const model::Service& service) const {
  const std::string& key = service.image.empty() ? service.build : service.image;
  for (const ProgramEntry& entry : stand_ins) {
    if (!key.empty() && entry.key == key) return &entry;
  }
  return nullptr;
}

std::expected<ProjectFile, ProjectProblem> project_from_toml(std::string_view text,
                                                             const std::string& name) {
  return ProjectReader(name, text).read();
}

std::expected<ProjectFile, ProjectProblem> read_project_file(const std::string& folder) {
  const std::string path = (fs::path(folder) / kFileName).string();
  std::error_code error;
  if (!fs::exists(path, error)) return ProjectFile{.path = path};
  std::ifstream file(path, std::ios::binary);
  if (!file || !fs::is_regular_file(path, error)) {
    return std::unexpected(without_place(path + " cannot be read"));
  }
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.size() > kFileBytesMax) {
    return std::unexpected(without_place(
        fmt::format("{} holds {} bytes, {} at most", path, text.size(), kFileBytesMax)));
  }
  return project_from_toml(text, path);
}

}  // namespace misrule::controller
