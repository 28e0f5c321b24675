#include "tests/controller/report/sample_page.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "controller/events/event_log.h"
#include "tests/controller/report/sample_run.h"

namespace misrule::controller {

namespace {

using model::Event;

Event statement(int number) {
  Event event = {.service = "api", .type = "proxy"};
  const bool insert = number % 4 == 3;
  const bool fails = number % 400 == 203;
  event.set("from", "api").set("to", "postgres").set("interface", "main");
  event.set("protocol", "postgres").set("connection", fmt::format("api#{}", number % 7));
  event.set("operation", "Execute");
  event.set("query", insert ? fmt::format("INSERT INTO payments VALUES ({}, 'k-{:x}')", number,
                                          std::uint64_t(number) * 2654435761U)
                            : "SELECT id, item, quantity FROM orders WHERE id = $1");
  event.set("action", fails ? "error" : "forward");
  event.set("decision", fails ? "error(40001)" : "forward");
  if (fails) event.set("rule", "test_insert_fails_once_then_retries/1");
  event.set("reply", fails ? "ERROR 40001: serialization failure" : "INSERT 0 1");
  event.set("server", fails ? "did_not" : "did").set("failed", fails);
  event.set("duration_ms", std::int64_t(number % 13));
  return event;
}

Event step(int number, bool answer) {
  Event event = {.service = "test", .type = answer ? "step_recv" : "step_send"};
  event.set("to", "api").set("interface", "public").set("protocol", "http");
  event.set("method", "POST").set("path", fmt::format("/orders/{}", number));
  if (!answer) return event;
  event.after = {static_cast<std::uint64_t>(number - 3)};
  event.set("status", std::int64_t(number % 50 == 4 ? 500 : 201)).set("ok", number % 50 != 4);
  event.set("data", model::Json{.text = fmt::format("{{\"order\":{{\"id\":{}}}}}", number)});
  return event;
}

Event event_of(int number) {
  if (number == 1) {
    return Event{.service = "postgres", .type = "lifecycle"}.set("action", "ready");
  }
  if (number == 2) return Event{.service = "api", .type = "stdout"}.set("body", kHostileText);
  if (number % 10 == 1) return step(number, false);
  if (number % 10 == 4) return step(number, true);
  if (number % 10 == 7) {
    return Event{.service = "api", .type = "stdout"}.set(
        "body", fmt::format("{{\"action\":\"answered\",\"request\":{}}}", number));
  }
  return statement(number);
}

Event insert(int number, bool fails) {
  Event event = {.service = "api", .type = "proxy"};
  event.set("from", "api").set("to", "postgres").set("interface", "main");
  event.set("operation", "Execute").set("query", fmt::format("INSERT INTO t VALUES ({})", number));
  event.set("statement", "INSERT INTO t VALUES (?)");
  event.set("action", fails ? "error" : "forward");
  event.set("decision", fails ? "error(40001)" : "forward");
  if (fails) event.set("rule", "test_inconclusive/1");
  event.set("reply", fails ? "ERROR 40001: serialization failure" : "INSERT 0 1");
  return event;
}

Event said(std::string body) {
  return Event{.service = "api", .type = "stdout"}.set("body", std::move(body));
}

/// The same scenario twice: numbers and ids in it differ in any case, the rest if a fault is there.
std::vector<Event> cell_events(bool faulty) {
  const int id = faulty ? 1000 : 20;
  std::vector<Event> events = {
      Event{.service = "postgres", .type = "lifecycle"}.set("action", "ready"), step(1, false),
      insert(id, faulty), said(fmt::format("took {} ms", id))};
  if (!faulty) events.push_back(said("done"));
  events.push_back(step(faulty ? 4 : 1, true));
  events.push_back(step(2, false));
  for (int i = 1; i <= 3; ++i) events.push_back(insert(id + i, false));
  if (faulty) events.push_back(said("gave up"));
  events.push_back(step(2, true));
  events.push_back(Event{.service = "postgres", .type = "lifecycle"}
                       .set("action", "observed")
                       .set("observer", "wal_stream")
                       .set("events", std::int64_t{4})
                       .set("lag_ms", std::int64_t{12}));
  return events;
}

std::string written(const std::string& path, std::vector<Event> events) {
  std::ofstream log(path);
  std::uint64_t number = 0;
  for (Event& event : events) {
    event.after.clear();
    event.number = ++number;
    event.time_ns = event.source_time_ns = static_cast<std::int64_t>(number) * 1'500'000;
    log << event_to_json(event) << "\n";
  }
  return path;
}

void add_cell(model::TestReport& report, const std::string& folder) {
  report.event_log = written(folder + "/cell.jsonl", cell_events(true));
  report.events_total = cell_events(true).size();
  report.control =
      model::ControlReport{.outcome = model::Outcome::kPassed,
                           .took = std::chrono::milliseconds(20),
                           .events_total = cell_events(false).size(),
                           .event_log = written(folder + "/control.jsonl", cell_events(false))};
}

}  // namespace

std::string sample_event_line(int number) {
  Event event = event_of(number);
  event.number = static_cast<std::uint64_t>(number);
  event.time_ns = event.source_time_ns = number * 1'234'567LL;
  event.clock = {{"api", number / 2}, {"test", number / 10}, {"postgres", 1}};
  std::string line = event_to_json(event);
  if (!line.ends_with('\n')) line += '\n';
  return line;
}

RunResult sample_page_result(const std::string& folder) {
  RunResult result = sample_result();
  const std::string spec = folder + "/shop.star";
  std::ofstream source(spec);
  for (int line = 1; line <= 80; ++line) source << "# line " << line << " " << kHostileText << "\n";
  std::ofstream(folder + "/api.log") << "listening\n" << kHostileText << "\n";
  std::ofstream log(folder + "/events.jsonl");
  for (int number = 1; number <= kSampleEvents; ++number) log << sample_event_line(number);
  for (model::TestReport& report : result.reports) {
    report.spec = spec;
    for (model::Finding& finding : report.findings) finding.position.file = spec;
    for (model::RuleReport& rule : report.rules) rule.position.file = spec;
    report.event_log.clear();
    report.control.reset();
    if (report.test == "test_inconclusive") add_cell(report, folder);
    if (report.test != "test_insert_fails_once_then_retries") continue;
    report.events_total = kSampleEvents;
    report.event_log = folder + "/events.jsonl";
    report.story = {11, 14, 203};
    report.description = kHostileText;
    report.findings.front().message += kHostileText;
  }
  result.reports.front().test += kHostileText;
  const auto cell = [&result](const char* test, const char* scenario, std::string fault) {
    std::ranges::find(result.reports, test, &model::TestReport::test)->cell = {
        .spec = "s", .matrix = 1, .scenario = scenario, .fault = std::move(fault)};
  };
  cell("test_invalid", "order", "database down");
  cell("test_inconclusive", "order", kHostileText);
  cell("test_skipped", "payment", "database down");
  result.plan.notes.emplace_back(kHostileText);
  return result;
}

}  // namespace misrule::controller
