#include "tests/controller/report/sample_run.h"

namespace misrule::controller {

namespace {

using model::Event;
using model::Outcome;
using std::chrono::milliseconds;

constexpr const char* kSpec = "examples/shop/shop.star";

model::RuleReport insert_rule(std::uint64_t fired) {
  model::RuleReport rule = {.id = "insert_fails",
                            .description = "INSERT INTO payments* -> 40001 serialization_failure",
                            .position = {.file = kSpec, .line = 52, .column = 20}};
  rule.tally = {.rule = "insert_fails", .considered = 14, .matched = fired, .fired = fired};
  if (fired == 0) rule.tally.near_misses = {"12x SELECT orders", "2x INSERT INTO orders"};
  return rule;
}

/// It cut what was open; nobody connected again while it was armed.
model::RuleReport connect_rule() {
  return {.id = "test_checkout/2",
          .description = "connect to postgres -> ECONNREFUSED",
          .position = {.file = kSpec, .line = 44, .column = 33},
          .tally = {.rule = "test_checkout/2", .connections_cut = 4}};
}

model::TestReport passed() {
  return {.test = "test_checkout",
          .description = "An order is placed, paid and listed.",
          .spec = kSpec,
          .outcome = Outcome::kPassed,
          .took = milliseconds(412),
          .rules = {insert_rule(1), connect_rule()},
          .notes = {"postgres recovered in 0.3 s"},
          .attachments = {{.name = "orders", .file = "attachments/orders", .size = 12}},
          .events_total = 31};
}

model::TestReport failed() {
  model::Finding finding = {
      .message = "assert_eq: payments charged: expected 1, got 2",
      .position = {.file = kSpec, .line = 58, .column = 5},
      .column_end = 14,
      .source_line = "    assert_eq(rows[0][\"n\"], 1, \"payments charged\")",
      .detail = {"rows[0][\"n\"] is 2", "Traceback (most recent call last):",
                 "  examples/shop/shop.star:58:5: in test_insert",
                 "Error in assert_eq: assert_eq: payments charged: expected 1, got 2"}};
  return {.test = "test_insert_fails_once_then_retries",
          .control = model::ControlReport{.outcome = Outcome::kPassed,
                                          .took = milliseconds(120),
                                          .events_total = 25,
                                          .event_log = ".misrule/runs/7/retries/events.jsonl"},
          .description = "A payment is charged once.",
          .spec = kSpec,
          .outcome = Outcome::kFailed,
          .took = milliseconds(450),
          .findings = {finding},
          .rules = {insert_rule(1)},
          .events_total = 214,
          .story = {3, 9, 10, 12},
          .event_log = ".misrule/runs/7/test_insert_fails_once_then_retries/events.jsonl"};
}

model::TestReport unfired() {
  model::Finding finding = {
      .message = "the fault never happened: INSERT INTO payments* -> 40001 serialization_failure",
      .position = {.file = kSpec, .line = 52, .column = 20},
      .column_end = 25,
      .source_line = "    insert_fails = error(query = \"INSERT INTO payments*\", times = 1)",
      .hint = "optional = True on the action allows that",
      .detail = {"it was asked about 14 operations, 0 matched", "nearest: 12x SELECT orders",
                 "nearest: 2x INSERT INTO orders"}};
  return {.test = "test_unfired",
          .spec = kSpec,
          .outcome = Outcome::kFailed,
          .took = milliseconds(3),
          .findings = {finding},
          .rules = {insert_rule(0)},
          .events_total = 9};
}

model::TestReport infrastructure() {
  model::Finding finding = {.message = "api was not ready within 30 s",
                            .detail = {"last output of api:", "  ImportError: psycopg"}};
  return {.test = "test_infrastructure",
          .spec = kSpec,
          .outcome = Outcome::kError,
          .took = milliseconds(30012),
          .findings = {finding}};
}

model::TestReport bare(const char* name, Outcome outcome) {
  return {.test = name, .spec = kSpec, .outcome = outcome, .took = milliseconds(20)};
}

}  // namespace

RunRequest sample_request() { return {.files = {kSpec}, .set = {{"BUG", "retry without key"}}}; }

RunResult sample_result() {
  RunResult result = {.exit_code = 130, .took = milliseconds(31000)};
  result.reports = {passed(),
                    failed(),
                    unfired(),
                    infrastructure(),
                    bare("test_invalid", Outcome::kInvalid),
                    bare("test_inconclusive", Outcome::kInconclusive),
                    bare("test_skipped", Outcome::kSkipped),
                    bare("test_interrupted", Outcome::kInterrupted)};
  result.plan = {.run_id = "7",
                 .folder = "/tmp/project/.misrule/runs/7",
                 .seed = 42,
                 .stand_ins = {"postgres:16 -> local PostgreSQL 15.20"},
                 .notes = {"services run as root: no SUDO_UID"}};
  for (const model::TestReport& report : result.reports) {
    result.plan.tests.push_back(
        {.file = report.spec, .name = report.test, .description = report.description, .line = 1});
  }
  result.plan.tests.push_back({.file = kSpec, .name = "test_never_begun", .line = 99});
  result.problems = {{.file = "typo.star",
                      .finding = {.message = "undefined: servce (did you mean service?)",
                                  .position = {.file = "typo.star", .line = 1, .column = 6},
                                  .column_end = 12,
                                  .source_line = "db = servce()"},
                      .rendered = "typo.star:1:6: error: undefined: servce\n"}};
  return result;
}

std::vector<Event> sample_story() {
  constexpr std::int64_t kMillisecond = 1000000;
  Event send = {.number = 3, .time_ns = 102 * kMillisecond, .service = "test", .type = "step_send"};
  send.set("to", "api").set("method", "POST").set("path", "/payments");
  Event insert = {.number = 9, .time_ns = 108 * kMillisecond, .service = "api", .type = "proxy"};
  insert.set("to", "postgres")
      .set("query",
           "INSERT INTO payments (idempotency_key, order_id, amount) VALUES ($1, $2, $3) ON "
           "CONFLICT "
           "(idempotency_key) DO NOTHING")
      .set("action", "error")
      .set("rule", "insert_fails")
      .set("reply", "ERROR 40001: serialization_failure")
      .set("server", "did_not");
  Event second = insert;
  second.number = 10;
  second.time_ns = 131 * kMillisecond;
  second.fields.resize(2);
  second.set("action", "forward").set("reply", "INSERT 0 1").set("server", "did");
  Event answer = {
      .number = 12, .time_ns = 133 * kMillisecond, .service = "test", .type = "step_recv"};
  answer.set("to", "api").set("status", std::int64_t{200}).set("duration_ms", std::int64_t{31});
  return {send, insert, second, answer};
}

}  // namespace misrule::controller
