#include "controller/report/run_page.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "base/json_text.h"
#include "controller/events/utf8.h"
#include "controller/report/pack.h"
#include "controller/report/page_events.h"
#include "controller/report/page_parts.h"
#include "controller/report/text.h"
#include "controller/report/weight.h"

namespace misrule::controller {

namespace {

namespace fs = std::filesystem;

// A page is read on phones: a run of many tests shows fewer events of each.
constexpr std::size_t kEventsMax = 40'000;
constexpr std::size_t kEventsOfTestMax = 10'000;
constexpr std::size_t kEventsOfTestMin = 400;
constexpr std::size_t kLogBytesMax = std::size_t{32} << 10U;
constexpr std::size_t kSourceBytesMax = std::size_t{512} << 10U;

std::string as_json(std::string_view text) { return json_quoted(as_utf8(text)); }

/// The last `max` bytes of a file.
std::string end_of_file(const fs::path& path, std::uintmax_t size, std::size_t max) {
  std::ifstream file(path, std::ios::binary);
  if (size > max) file.seekg(static_cast<std::streamoff>(size - max));
  std::string text(std::min<std::uintmax_t>(size, max), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

/// {"api.log": {"text": ..., "bytes": 12, "cut": false}}: what lies beside the event log.
std::string logs_json(const std::string& event_log) {
  std::map<std::string, std::string> logs;
  std::error_code error;
  for (fs::directory_iterator at(fs::path(event_log).parent_path(), error), end;
       !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".log" || !at->is_regular_file(error)) continue;
    const std::uintmax_t size = at->file_size(error);
    if (error) break;
    logs[at->path().filename().string()] = fmt::format(
        "{{\"text\":{},\"bytes\":{},\"cut\":{}}}",
        as_json(end_of_file(at->path(), size, kLogBytesMax)), size, size > kLogBytesMax);
  }
  std::string out = "{";
  for (const auto& [name, log] : logs) {
    out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", as_json(name), log);
  }
  return out + "}";
}

/// Every file that a position in the report names.
std::string sources_json(const RunResult& result) {
  std::set<std::string> files;
  for (const model::TestReport& report : result.reports) {
    files.insert(report.spec);
    for (const model::Finding& finding : report.findings) files.insert(finding.position.file);
    for (const model::RuleReport& rule : report.rules) files.insert(rule.position.file);
  }
  std::string out = "{";
  for (const std::string& file : files) {
    std::error_code error;
    if (file.empty() || !fs::is_regular_file(file, error)) continue;
    const std::uintmax_t size = fs::file_size(file, error);
    if (error || size > kSourceBytesMax) continue;
    out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", as_json(file),
                       as_json(end_of_file(file, size, kSourceBytesMax)));
  }
  return out + "}";
}

/// What tests stand beside; each once, however many cells it stands for.
struct Controls {
  std::vector<model::ControlReport> runs = {};
  std::map<std::string, std::size_t> number_of = {};  ///< By the path of its log.

  /// As a member of a test's object; empty: there is none.
  std::string beside(const model::TestReport& report) const {
    const auto found = number_of.find(report.control ? report.control->event_log : "");
    return found == number_of.end() ? "" : fmt::format(",\"control\":{}", found->second);
  }
};

/// Of a test whose control did not pass, that control's log is its own.
Controls controls_of(const RunResult& result) {
  Controls controls;
  for (const model::TestReport& report : result.reports) {
    if (!report.control || report.control->event_log.empty()) continue;
    if (report.control->outcome != model::Outcome::kPassed) continue;
    const std::string& log = report.control->event_log;
    if (!controls.number_of.emplace(log, controls.runs.size()).second) continue;
    controls.runs.push_back(*report.control);
  }
  return controls;
}

/// How many events each test may show.
std::size_t events_of_each(const RunResult& result, const Controls& controls) {
  std::size_t all = 0;
  for (const model::TestReport& report : result.reports) {
    all += std::min<std::size_t>(report.events_total, kEventsOfTestMax);
  }
  for (const model::ControlReport& control : controls.runs) {
    all += std::min<std::size_t>(control.events_total, kEventsOfTestMax);
  }
  if (all <= kEventsMax) return kEventsOfTestMax;
  const std::size_t logs = result.reports.size() + controls.runs.size();
  return std::clamp(kEventsMax / logs, kEventsOfTestMin, kEventsOfTestMax);
}

std::string controls_json(const Controls& controls, std::size_t events_max) {
  std::string out = "[";
  for (const model::ControlReport& control : controls.runs) {
    const PageEvents events = events_for_page({.log = control.event_log, .events_max = events_max});
    out += fmt::format("{}{{\"events\":{},\"left_out\":{}}}", out.size() > 1 ? "," : "",
                       events.json, events.left_out);
  }
  return out + "]";
}

std::string tests_json(const RunResult& result, const Controls& controls, std::size_t events_max) {
  std::string out = "[";
  for (const model::TestReport& report : result.reports) {
    const PageEvents events =
        events_for_page({.log = report.event_log, .story = report.story, .events_max = events_max});
    const std::string beside = controls.beside(report);
    out += fmt::format("{}{{\"events\":{},\"left_out\":{},\"missing\":{},\"logs\":{}{}}}",
                       out.size() > 1 ? "," : "", events.json, events.left_out,
                       as_json(events.missing), logs_json(report.event_log), beside);
  }
  return out + "]";
}

std::string title_of(const RunResult& result) {
  const auto count = [&result](std::initializer_list<Weight> weights) {
    return std::ranges::count_if(result.reports, [&](const model::TestReport& report) {
      return std::ranges::find(weights, weight_of(report.outcome, false)) != weights.end();
    });
  };
  const auto silent = count({Weight::kSilent});
  return fmt::format("Misrule run {}: {} of {} tests did not pass{}", result.plan.run_id,
                     count({Weight::kBad, Weight::kError}), result.reports.size(),
                     silent == 0 ? "" : fmt::format(", {} say nothing", silent));
}

/// What stands there until the script has run, and without one.
std::string plain_part(const RunResult& result) {
  std::string out =
      fmt::format("<main class=\"test\"><h1>{}</h1>\n<ul>\n", html_text(title_of(result)));
  for (const SpecProblem& problem : result.problems) {
    out += fmt::format("<li>{}<pre>{}</pre></li>\n", html_text(problem.file),
                       html_text(problem.rendered));
  }
  for (const model::TestReport& report : result.reports) {
    out += fmt::format("<li><strong>{}</strong> {}", model::outcome_name(report.outcome),
                       html_text(report.test));
    if (!report.findings.empty()) {
      out += fmt::format("<pre>{}</pre>", html_text(report.findings.front().message));
    }
    out += "</li>\n";
  }
  return out + "</ul>\n</main>";
}

/// The template with each @NAME@ replaced; what is put in is not looked at again.
std::string filled(std::string_view page, const std::map<std::string_view, std::string>& parts) {
  std::string out;
  while (!page.empty()) {
    const std::size_t begin = page.find('@');
    const std::size_t end = begin == page.npos ? page.npos : page.find('@', begin + 1);
    if (end == page.npos) break;
    const auto part = parts.find(page.substr(begin + 1, end - begin - 1));
    out += page.substr(0, begin);
    if (part == parts.end()) {
      out += '@';
      page.remove_prefix(begin + 1);
    } else {
      out += part->second;
      page.remove_prefix(end + 1);
    }
  }
  return out.append(page);
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : as_utf8(harmless(text))) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string run_page(const RunResult& result, std::string_view run_json, const PageFilter& filter) {
  const auto filtered = [&filter](std::string text) {
    return filter ? filter(std::move(text)) : text;
  };
  const Controls controls = controls_of(result);
  const std::size_t events_max = events_of_each(result, controls);
  const std::string everything =
      fmt::format("{{\"run\":{},\"sources\":{},\"controls\":{},\"tests\":{}}}", as_utf8(run_json),
                  sources_json(result), controls_json(controls, events_max),
                  tests_json(result, controls, events_max));
  return filled(kPageHtml, {{"TITLE", html_text(title_of(result))},
                            {"CSS", std::string(kPageCss)},
                            {"PLAIN", filtered(plain_part(result))},
                            {"DATA", base64(gzipped(filtered(everything)))},
                            {"JS", std::string(kPageJs)}});
}

}  // namespace misrule::controller
