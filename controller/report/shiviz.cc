#include "controller/report/shiviz.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "base/json_text.h"
#include "controller/events/event_log.h"
#include "controller/events/utf8.h"
#include "controller/report/sentence.h"
#include "controller/report/text.h"

namespace misrule::controller {

namespace {

constexpr std::size_t kTextColumns = 300;

/// One line, also for JavaScript, whose lines end at U+2028 and U+2029 as well.
std::string one_line(std::string_view text) {
  std::string out = as_utf8(printable(text));
  for (const std::string_view end : {"\xE2\x80\xA8", "\xE2\x80\xA9"}) {
    for (std::size_t at = 0; (at = out.find(end, at)) != std::string::npos;) {
      out.replace(at, end.size(), " ");
    }
  }
  return out;
}

std::string host_of(const std::string& service) {
  std::string host = one_line(service);
  std::ranges::replace(host, ' ', '_');
  return host;
}

void raise(std::vector<std::uint64_t>& counts, const std::vector<std::uint64_t>& to) {
  if (counts.size() < to.size()) counts.resize(to.size());
  for (std::size_t i = 0; i < to.size(); ++i) counts[i] = std::max(counts[i], to[i]);
}

std::string clock_text(const model::VectorClock& clock) {
  std::string out;
  for (const auto& [host, count] : clock) {
    out += fmt::format("{}{}:{}", out.empty() ? "{" : ",", json_quoted(host), count);
  }
  return out + "}";
}

/// It begins with the time, so that it is never a line between tests.
std::string text_of(const model::Event& event) {
  const Sentence said = sentence_of(event);
  std::string text = fmt::format("{}: {}", said.who, said.what);
  if (!said.rule.empty()) text += " | " + said.rule;
  const double seconds = static_cast<double>(event.time_ns) / 1e9;
  return fmt::format("{:.6f} s {}", seconds, cut_to(one_line(text), kTextColumns));
}

void write_test(const model::TestReport& report, std::ostream& out) {
  std::ifstream log(report.event_log);
  ShivizClocks clocks;
  bool any = false;
  for (std::string line; std::getline(log, line);) {
    const auto event = event_from_json(line);
    if (!event) continue;
    if (!any) {
      out << fmt::format("=== {} {} ({}) ===\n", one_line(report.spec), one_line(report.test),
                         model::outcome_name(report.outcome));
    }
    any = true;
    out << fmt::format("{} {}\n{}\n", host_of(event->service), clock_text(clocks.next(*event)),
                       text_of(*event));
  }
}

}  // namespace

std::size_t ShivizClocks::index_of(const std::string& host) {
  const auto [at, fresh] = hosts_.emplace(host, names_.size());
  if (fresh) {
    names_.push_back(host);
    told_.emplace_back();
  }
  return at->second;
}

model::VectorClock ShivizClocks::next(const model::Event& event) {
  const std::size_t self = index_of(host_of(event.service));
  Counts counts = told_[self].empty() ? Counts() : told_[self].back();
  for (const auto& [service, count] : event.clock) {
    const std::size_t other = index_of(host_of(service));
    const auto known = std::min<std::uint64_t>(count, told_[other].size());
    if (other != self && known > 0) raise(counts, told_[other][known - 1]);
  }
  counts.resize(std::max(counts.size(), self + 1));
  counts[self] = told_[self].size() + 1;
  told_[self].push_back(counts);
  model::VectorClock clock;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) clock.emplace_back(names_[i], counts[i]);
  }
  return clock;
}

void write_shiviz(const RunResult& result, std::ostream& out) {
  out << kShivizEvent << "\n" << kShivizTest << "\n";
  for (const model::TestReport& report : result.reports) write_test(report, out);
}

}  // namespace misrule::controller
