#include "controller/bundle/bundle.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <sys/utsname.h>

#include "controller/bundle/programs.h"
#include "controller/events/utf8.h"

namespace misrule::controller {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kSourceBytesMax = std::size_t{4} << 20U;
// Of one log of a test: the beginning of what is longer is left out.
constexpr std::size_t kLogBytesMax = std::size_t{32} << 20U;
constexpr std::size_t kBundleBytesMax = std::size_t{200} << 20U;

std::string end_of(const fs::path& path, std::size_t max) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (!error && size > max) {
    file.seekg(static_cast<std::streamoff>(size - max));
    std::string torn;
    std::getline(file, torn);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

class Sources {
 public:
  void add(const fs::path& path) {
    std::error_code error;
    const std::string name = path.lexically_normal().string();
    if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > kSourceBytesMax) return;
    const bool known = std::ranges::any_of(
        sources_, [&name](const BundleSource& source) { return source.path == name; });
    if (known) return;
    std::ifstream file(path, std::ios::binary);
    sources_.push_back({.path = name, .text = {std::istreambuf_iterator<char>(file), {}}});
  }
  std::vector<BundleSource> take() && { return std::move(sources_); }

 private:
  std::vector<BundleSource> sources_ = {};
};

json::object machine_value() {
  utsname name = {};
  ::uname(&name);
  return {{"system", name.sysname},
          {"kernel", name.release},
          {"architecture", name.machine},
          {"processors", std::thread::hardware_concurrency()}};
}

json::object request_value(const RunRequest& request) {
  json::array files;
  for (const std::string& file : request.files) files.emplace_back(file);
  json::array set;
  for (const auto& [name, value] : request.set) {
    json::object setting = {{"name", name}};
    if (!names_a_secret(name)) setting["value"] = value;
    set.push_back(std::move(setting));
  }
  const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(request.timeout);
  return {{"files", std::move(files)},
          {"test", request.test_glob},
          {"seed", request.seed},
          {"timeout_ms", timeout.count()},
          {"strict", request.strict},
          {"backend", request.backend},
          {"host_network", request.host_network},
          {"rules", request.rules_file},
          {"set", std::move(set)}};
}

void add_test_files(const std::string& event_log, const std::string& place, ArchiveFiles& files) {
  if (event_log.empty()) return;
  std::error_code error;
  const fs::path folder = fs::path(event_log).parent_path();
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    const bool wanted = name == "events.jsonl" || at->path().extension() == ".log";
    if (!wanted || !at->is_regular_file(error)) continue;
    files[fmt::format("{}/{}", place, name)] = end_of(at->path(), kLogBytesMax);
  }
}

void add_attachments(const model::TestReport& report, const std::string& place,
                     ArchiveFiles& files) {
  const fs::path folder = fs::path(report.event_log).parent_path();
  for (const model::Attachment& kept : report.attachments) {
    std::ifstream file(folder / kept.file, std::ios::binary);
    if (!file) continue;
    files[fmt::format("{}/{}", place, kept.file)] = {std::istreambuf_iterator<char>(file), {}};
  }
}

/// Each once, however many tests it stands for.
void add_controls(const RunResult& result, ArchiveFiles& files) {
  std::vector<std::string> known;
  for (const model::TestReport& report : result.reports) {
    if (!report.control) continue;
    const std::string& log = report.control->event_log;
    if (std::ranges::find(known, log) != known.end()) continue;
    add_test_files(log, fmt::format("controls/{}", known.size()), files);
    known.push_back(log);
  }
}

/// {"service": "api", "path": "api.py", "bytes": 12, "hash": "...", "file": "services/0"}
json::object program_value(Program& program, ArchiveFiles& files) {
  json::object value = {{"service", program.service},
                        {"path", program.path},
                        {"bytes", program.bytes},
                        {"hash", program.hash}};
  if (!program.content) return value;
  const auto held = std::ranges::count_if(
      files, [](const auto& file) { return file.first.starts_with("services/"); });
  const std::string name = fmt::format("services/{}", held);
  value["file"] = name;
  files[name] = *std::move(program.content);
  return value;
}

/// The largest logs go first, so that what is written can be read.
void keep_within_bounds(ArchiveFiles& files) {
  const auto size_of = [](const auto& file) { return file.second.size(); };
  std::size_t all = 0;
  for (const auto& file : files) all += size_of(file);
  while (all > kBundleBytesMax) {
    const auto largest = std::ranges::max_element(files, {}, size_of);
    all -= largest->second.size();
    largest->second = "left out: the bundle would be too large\n";
  }
}

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::uint64_t number_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  boost::system::error_code error;
  const auto number =
      value == nullptr || !value->is_number() ? 0 : value->to_number<std::uint64_t>(error);
  return error ? 0 : number;
}

bool flag_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

json::array list_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : json::array();
}

void read_request(const json::object& said, Bundle& bundle) {
  RunRequest& request = bundle.request;
  for (const json::value& file : list_of(said, "files")) {
    if (file.is_string()) request.files.emplace_back(file.get_string());
  }
  request.test_glob = text_of(said, "test");
  request.seed = number_of(said, "seed");
  request.timeout = std::chrono::milliseconds(
      std::clamp<std::uint64_t>(number_of(said, "timeout_ms"), 1, 86'400'000));
  request.strict = flag_of(said, "strict");
  request.backend = text_of(said, "backend");
  request.host_network = flag_of(said, "host_network");
  request.rules_file = text_of(said, "rules");
  for (const json::value& value : list_of(said, "set")) {
    const json::object* setting = value.if_object();
    if (setting == nullptr) continue;
    if (setting->contains("value")) {
      request.set.emplace_back(text_of(*setting, "name"), text_of(*setting, "value"));
    } else {
      bundle.secret_settings.push_back(text_of(*setting, "name"));
    }
  }
}

}  // namespace

Status write_bundle(const BundleOrder& order, const RunResult& result, const RunRequest& request,
                    const SecretMask& mask) {
  ArchiveFiles files = {{"run.json", order.run_json}};
  for (std::size_t i = 0; i < result.reports.size(); ++i) {
    const std::string place = fmt::format("tests/{}", i);
    add_test_files(result.reports[i].event_log, place, files);
    add_attachments(result.reports[i], place, files);
  }
  add_controls(result, files);
  Sources sources;
  for (const std::string& file : result.spec_files) {
    sources.add(file);
    sources.add(fs::path(file).parent_path() / "misrule.toml");
  }
  if (!request.rules_file.empty()) sources.add(request.rules_file);
  json::array paths;
  for (BundleSource& source : std::move(sources).take()) {
    const std::string name = fmt::format("spec/{}", paths.size());
    paths.push_back(json::object{{"path", source.path}, {"file", name}});
    files[name] = std::move(source.text);
  }
  for (std::size_t i = 0; i < request.files.size(); ++i) {
    const auto rules = compile_rules(request.files[i], request.set);
    if (rules) files[fmt::format("rules/{}.yaml", i)] = *rules;
  }
  json::array stand_ins;
  for (const std::string& note : result.plan.stand_ins) stand_ins.emplace_back(note);
  json::array programs;
  for (Program& program : programs_of(result, order.with_services)) {
    programs.push_back(program_value(program, files));
  }
  const json::object manifest = {{"schema", "misrule.bundle/1"},
                                 {"misrule", order.version},
                                 {"run", result.plan.run_id},
                                 {"machine", machine_value()},
                                 {"request", request_value(request)},
                                 {"sources", std::move(paths)},
                                 {"stand_ins", stand_ins},
                                 {"programs", std::move(programs)}};
  files["manifest.json"] = as_utf8(json::serialize(manifest)) + "\n";
  keep_within_bounds(files);
  for (auto& [name, content] : files) content = mask.masked(std::move(content));
  files["report.html"] = order.page;
  return write_archive(order.path, files);
}

Result<Bundle> read_bundle(const std::string& path) {
  Bundle bundle;
  MISRULE_TRY(bundle.files, read_archive(path));
  const auto found = bundle.files.find("manifest.json");
  boost::system::error_code error;
  const json::value manifest =
      found == bundle.files.end() ? json::value() : json::parse(found->second, error);
  const json::object* said = manifest.if_object();
  if (error || said == nullptr || text_of(*said, "schema") != "misrule.bundle/1") {
    return fail(Code::kInvalid, fmt::format("{}: it is no bundle of a run", path));
  }
  bundle.version = text_of(*said, "misrule");
  if (const json::value* machine = said->if_contains("machine"); machine && machine->is_object()) {
    const json::object& of = machine->get_object();
    bundle.machine =
        fmt::format("{} {} {}, {} processors", text_of(of, "system"), text_of(of, "kernel"),
                    text_of(of, "architecture"), number_of(of, "processors"));
  }
  if (const json::value* request = said->if_contains("request"); request && request->is_object()) {
    read_request(request->get_object(), bundle);
  }
  for (const json::value& value : list_of(*said, "sources")) {
    const json::object* source = value.if_object();
    if (source == nullptr) continue;
    const auto file = bundle.files.find(text_of(*source, "file"));
    if (file == bundle.files.end()) {
      return fail(Code::kInvalid, fmt::format("{}: a source of its manifest is missing", path));
    }
    bundle.sources.push_back({.path = text_of(*source, "path"), .text = file->second});
  }
  for (const json::value& value : list_of(*said, "programs")) {
    if (const json::object* program = value.if_object()) {
      bundle.programs.push_back({.service = text_of(*program, "service"),
                                 .path = text_of(*program, "path"),
                                 .hash = text_of(*program, "hash"),
                                 .file = text_of(*program, "file")});
    }
  }
  return bundle;
}

}  // namespace misrule::controller
