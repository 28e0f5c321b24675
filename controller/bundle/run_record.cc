#include "controller/bundle/run_record.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "controller/events/event_log.h"
#include "controller/events/utf8.h"
#include "controller/report/text.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kShownColumns = 160;
constexpr std::size_t kJsonBytesMax = std::size_t{64} << 20U;

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

Result<json::object> read_object(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return fail(Code::kInvalid, "it is no JSON object");
  return std::move(value.get_object());
}

std::string first_message(const json::object& test) {
  const json::value* findings = test.if_contains("findings");
  if (findings == nullptr || !findings->is_array() || findings->get_array().empty()) return "";
  const json::object* finding = findings->get_array().front().if_object();
  return finding == nullptr ? "" : text_of(*finding, "message");
}

std::vector<model::Event> events_of_text(std::string_view text) {
  std::vector<model::Event> events;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (auto event = event_from_json(text.substr(0, end))) events.push_back(*std::move(event));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return events;
}

/// The log of a run that has been moved lies beside what tells of it.
std::string log_in(const fs::path& folder, const std::string& said) {
  std::error_code error;
  if (fs::exists(said, error)) return said;
  const fs::path log = said;
  return folder / log.parent_path().filename() / log.filename();
}

Result<std::string> read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file || text.size() > kJsonBytesMax) {
    return fail(Code::kInvalid, fmt::format("{} cannot be read", path.string()));
  }
  return text;
}

std::vector<model::Event> events_of_file(const std::string& path) {
  auto events = read_event_log(path);
  return events ? *std::move(events) : std::vector<model::Event>();
}

/// result.json, which every run leaves in its folder.
Result<RunRecord> record_of_folder(const fs::path& folder) {
  MISRULE_TRY(const std::string text, read_text(folder / "result.json"));
  MISRULE_TRY(const json::object run, read_object(text));
  RunRecord record;
  const json::value* tests = run.if_contains("tests");
  if (tests == nullptr || !tests->is_array()) return fail(Code::kInvalid, "it has no tests");
  for (const json::value& value : tests->get_array()) {
    const json::object* test = value.if_object();
    const json::value* outcome = test == nullptr ? nullptr : test->if_contains("outcome");
    if (outcome == nullptr || !outcome->is_int64()) continue;
    const auto known = static_cast<std::int64_t>(model::Outcome::kInterrupted);
    const auto number = std::clamp<std::int64_t>(outcome->get_int64(), 0, known);
    const std::string log = log_in(folder, text_of(*test, "event_log"));
    record.tests.push_back(
        {.file = text_of(*test, "spec"),
         .name = text_of(*test, "test"),
         .verdict = std::string(model::outcome_name(static_cast<model::Outcome>(number))),
         .reason = first_message(*test),
         .events = [log] { return events_of_file(log); }});
  }
  return record;
}

Result<RunRecord> read_any(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return record_of_folder(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, "there is no such run, bundle or file");
  std::array<char, 1> first = {};
  file.read(first.data(), 1);
  if (first[0] != '{') {
    MISRULE_TRY(const ArchiveFiles files, read_archive(path));
    return record_of_bundle(files);
  }
  MISRULE_TRY(const std::string text, read_text(path));
  return record_of_json(text, [&](std::size_t, const std::string& said) { return said; });
}

std::string field_of(const model::Event& event, std::string_view name) {
  const model::Field* field = event.find(name);
  return field == nullptr ? "" : model::field_text(*field);
}

/// "name=value name=value" of those that the event has.
std::string joined(const model::Event& event, std::initializer_list<std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    const std::string text = field_of(event, name);
    if (!text.empty()) out += fmt::format(" {}={}", name, text);
  }
  return out;
}

using Essence = std::string (*)(const model::Event&);

/// An event that is compared.
struct Compared {
  std::string essence = {};
  std::string rule = {};
  std::string place = {};  ///< "event 17, 0.123 s"
};

std::vector<Compared> compared_of(const TestRecord& test, Essence essence) {
  std::vector<Compared> out;
  if (!test.events) return out;
  for (const model::Event& event : test.events()) {
    std::string text = essence(event);
    if (text.empty()) continue;
    const double seconds = static_cast<double>(event.time_ns) / 1e9;
    out.push_back({.essence = std::move(text),
                   .rule = field_of(event, "rule"),
                   .place = fmt::format("event {}, {:.3f} s", event.number, seconds)});
  }
  return out;
}

/// Places in `left` of those that have no counterpart in `right`.
std::vector<std::size_t> alone_in(const std::vector<Compared>& left,
                                  const std::vector<Compared>& right) {
  std::map<std::string_view, std::size_t> there;
  for (const Compared& one : right) ++there[one.essence];
  std::vector<std::size_t> alone;
  for (std::size_t at = 0; at < left.size(); ++at) {
    const auto found = there.find(left[at].essence);
    if (found == there.end() || found->second == 0) {
      alone.push_back(at);
    } else {
      --found->second;
    }
  }
  return alone;
}

class Comparison {
 public:
  Comparison(const RunRecord& left, const RunRecord& right, Essence essence)
      : left_(left), right_(right), essence_(essence) {}

  RunDifference run();

 private:
  /// The compared events of one run, with the name by which people know the run.
  struct Side {
    const std::string& name;
    std::vector<Compared> events = {};
  };

  void compare(const TestRecord& left, const TestRecord& right);
  void tell(const Side& side, const std::vector<std::size_t>& alone);
  void tell_counterpart(const Side& side, std::size_t at, const Side& other);

  const RunRecord& left_;
  const RunRecord& right_;
  Essence essence_;
  RunDifference found_ = {};
};

std::string shown(std::string_view text) { return cut_to(printable(text), kShownColumns); }

std::string shown(const Compared& one) {
  return fmt::format("{} ({})", shown(one.essence), one.place);
}

void Comparison::tell(const Side& side, const std::vector<std::size_t>& alone) {
  if (alone.empty()) return;
  found_.lines.push_back(fmt::format(
      "    first only in {}: {}{}", side.name, shown(side.events[alone.front()]),
      alone.size() > 1 ? fmt::format(" (and {} more)", alone.size() - 1) : std::string()));
}

/// What the rule did in the other run when it acted for that many times, too.
void Comparison::tell_counterpart(const Side& side, std::size_t at, const Side& other) {
  const std::string& rule = side.events[at].rule;
  const auto is_of_rule = [&rule](const Compared& one) { return one.rule == rule; };
  const auto begin = side.events.begin();
  const auto turn = std::count_if(begin, begin + static_cast<std::ptrdiff_t>(at) + 1, is_of_rule);
  const auto all = std::ranges::count_if(other.events, is_of_rule);
  if (all < turn) {
    found_.lines.push_back(
        fmt::format("    in its place in {}: nothing, {} acted {}× there and {}× in {}", other.name,
                    rule, all, std::ranges::count_if(side.events, is_of_rule), side.name));
    return;
  }
  std::ptrdiff_t seen = 0;
  const auto there = std::ranges::find_if(
      other.events, [&](const Compared& one) { return is_of_rule(one) && ++seen == turn; });
  found_.lines.push_back(fmt::format("    in its place in {}: {}", other.name, shown(*there)));
}

void Comparison::compare(const TestRecord& left, const TestRecord& right) {
  ++found_.tests;
  const Side before = {.name = left_.name, .events = compared_of(left, essence_)};
  const Side after = {.name = right_.name, .events = compared_of(right, essence_)};
  found_.essences += before.events.size();
  const std::vector<std::size_t> lost = alone_in(before.events, after.events);
  const std::vector<std::size_t> gained = alone_in(after.events, before.events);
  const bool same_verdict = left.verdict == right.verdict;
  if (same_verdict && lost.empty() && gained.empty()) return;
  found_.lines.push_back(same_verdict
                             ? fmt::format("{}: {} in both", left.name, left.verdict)
                             : fmt::format("{}: {} -> {}", left.name, left.verdict, right.verdict));
  if (left.reason != right.reason) {
    if (!left.reason.empty()) found_.lines.push_back("    - " + shown(left.reason));
    if (!right.reason.empty()) found_.lines.push_back("    + " + shown(right.reason));
  }
  tell(before, lost);
  if (essence_ != decision_of) return tell(after, gained);
  if (!lost.empty()) return tell_counterpart(before, lost.front(), after);
  tell(after, gained);
  if (!gained.empty()) tell_counterpart(after, gained.front(), before);
}

RunDifference Comparison::run() {
  const auto find = [](const RunRecord& run, const TestRecord& test) {
    return std::ranges::find_if(run.tests, [&test](const TestRecord& other) {
      return other.name == test.name && other.file == test.file;
    });
  };
  for (const TestRecord& test : left_.tests) {
    const auto other = find(right_, test);
    if (other != right_.tests.end()) {
      compare(test, *other);
    } else {
      found_.lines.push_back(
          fmt::format("{}: {}, only in {}", test.name, test.verdict, left_.name));
    }
  }
  for (const TestRecord& test : right_.tests) {
    if (find(left_, test) != left_.tests.end()) continue;
    found_.lines.push_back(fmt::format("{}: {}, only in {}", test.name, test.verdict, right_.name));
  }
  return std::move(found_);
}

}  // namespace

Result<RunRecord> record_of_json(
    std::string_view run_json,
    const std::function<std::string(std::size_t, const std::string&)>& log_of) {
  MISRULE_TRY(const json::object run, read_object(run_json));
  const json::value* tests = run.if_contains("tests");
  if (text_of(run, "schema") != "misrule.run/1" || tests == nullptr || !tests->is_array()) {
    return fail(Code::kInvalid, "it is no run of the schema misrule.run/1");
  }
  RunRecord record;
  for (const json::value& value : tests->get_array()) {
    const json::object* test = value.if_object();
    if (test == nullptr) return fail(Code::kInvalid, "a test of it is no object");
    const std::string log = log_of(record.tests.size(), text_of(*test, "event_log"));
    record.tests.push_back({.file = text_of(*test, "file"),
                            .name = text_of(*test, "name"),
                            .verdict = text_of(*test, "outcome"),
                            .reason = first_message(*test),
                            .events = [log] { return events_of_file(log); }});
  }
  return record;
}

Result<RunRecord> record_of_bundle(const ArchiveFiles& files) {
  const auto run = files.find("run.json");
  if (run == files.end()) return fail(Code::kInvalid, "it is no bundle: it has no run.json");
  MISRULE_TRY(RunRecord record,
              record_of_json(run->second, [](std::size_t, const std::string&) { return ""; }));
  for (std::size_t i = 0; i < record.tests.size(); ++i) {
    const auto log = files.find(fmt::format("tests/{}/events.jsonl", i));
    std::string text = log == files.end() ? "" : log->second;
    record.tests[i].events = [text = std::move(text)] { return events_of_text(text); };
  }
  return record;
}

Result<RunRecord> read_run(const std::string& path) {
  std::error_code error;
  const fs::path named = fs::path(".misrule/runs") / path;
  const bool is_name = !fs::exists(path, error) && fs::is_directory(named, error);
  auto record = read_any(is_name ? named : fs::path(path));
  if (!record) {
    return fail(record.error().code, fmt::format("{}: {}", path, record.error().what));
  }
  record->name = path;
  return record;
}

std::string essence_of(const model::Event& event) {
  const std::string_view type = event.type;
  if (type == "stdout" || type == "stderr" || type == "file") return "";
  // Bodies hold clocks and keys of their own; what a rule or a server made of them is compared.
  const std::string what =
      joined(event, {"from", "to", "interface", "method", "path", "command", "key", "statement"});
  const std::string query = event.find("statement") == nullptr ? joined(event, {"query"}) : "";
  const std::string came =
      joined(event, {"action", "syscall", "schema", "table", "decision", "rule", "reply", "status",
                     "ok", "error", "code", "signal", "server", "failed"});
  return fmt::format("{} {}{}{}{}", event.service, event.type, what, query, came);
}

std::string decision_of(const model::Event& event) {
  if (event.type != "proxy" && event.type != "syscall") return "";
  if (event.find("rule") == nullptr) return "";
  return fmt::format("{} {}{}", event.service, event.type,
                     joined(event, {"to", "interface", "method", "syscall", "command", "key",
                                    "statement", "rule", "decision"}));
}

RunDifference diff_runs(const RunRecord& left, const RunRecord& right) {
  return Comparison(left, right, essence_of).run();
}

RunDifference diff_decisions(const RunRecord& first, const RunRecord& again) {
  return Comparison(first, again, decision_of).run();
}

}  // namespace misrule::controller
