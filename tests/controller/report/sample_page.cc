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
