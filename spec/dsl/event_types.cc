#include "spec/dsl/event_types.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace misrule::dsl {

namespace {

/// What is there without observe=.
std::vector<EventType> usual_types() {
  return {
      {"lifecycle",
       {"action", "pid", "duration_ms", "code", "signal", "explained_by", "rule", "detail", "about",
        "observer", "events", "lag_ms"},
       true,
       true,
       {{"action",
         {"starting", "ready", "exited", "restarting", "recovering", "recovered", "rule_armed",
          "cut", "stalled", "rule_ended", "released", "deadline", "interrupted", "worker_lost",
          "io_uring_denied", "output_cut", "gap", "observed"}}}},
      {"step_send",
       {"to", "interface", "protocol", "method", "path", "body", "cut", "query", "command", "key",
        "traceparent"},
       true,
       false,
       {{"protocol", {"http", "postgres", "redis"}}}},
      {"step_recv",
       {"to", "interface", "protocol", "method", "path", "query", "command", "key", "status", "ok",
        "error", "code", "duration_ms", "body", "cut", "data"},
       true,
       false,
       {{"protocol", {"http", "postgres", "redis"}}, {"ok", {"true", "false"}}}},
      {"proxy",
       {"from",      "to",      "interface", "protocol", "connection",  "operation", "query",
        "statement", "command", "key",       "keys",     "arguments",   "state",     "method",
        "path",      "action",  "reason",    "rule",     "label",       "reply",     "code",
        "status",    "rows",    "server",    "failed",   "duration_ms", "decision"},
       true,
       true,
       {{"action",
         {"forward", "error", "delay", "drop", "link", "respond", "rewrite", "duplicate", "corrupt",
          "truncate", "hold", "held", "opaque", "released", "skipped", "tls_failed"}},
        {"server", {"did", "did_not", "unknown"}},
        {"state", {"idle", "transaction", "failed"}},
        {"failed", {"true", "false"}}}},
      {"syscall",
       {"syscall", "name", "path", "to", "interface", "address", "undeclared", "bytes", "decision",
        "rule", "label", "pid"},
       false,
       true},
      {"stdout",
       {"body", "stream", "data", "injected"},
       false,
       true,
       {{"stream", {"stdout", "stderr"}}}},
      {"log", {"body", "data"}, true, false},
      {"attachment", {"name", "file", "bytes"}, true, false},
  };
}

std::vector<EventType> observed_types() {
  return {
      {"stderr",
       {"body", "stream", "data", "injected"},
       false,
       true,
       {{"stream", {"stderr"}}},
       "stderr()"},
      {"file", {"body", "path", "data"}, false, true, {}, "file(path)"},
      {"wal",
       {"action", "op", "schema", "table", "xid", "lsn", "commit_time", "old", "unchanged", "cut",
        "data"},
       false,
       true,
       {{"action", {"INSERT", "UPDATE", "DELETE", "TRUNCATE"}},
        {"op", {"INSERT", "UPDATE", "DELETE", "TRUNCATE"}}},
       "wal_stream()"},
      {"keyspace", {"action", "op", "key", "database"}, false, true, {}, "keyspace()"},
      {"poll", {"name", "value", "previous"}, false, true, {}, "poll(name, fn)"},
      {"tail_http", {"url", "event", "id", "body", "data"}, false, true, {}, "tail_http(url)"},
      {"pubsub", {"channel", "body", "data"}, false, true, {}, "pubsub(channel)"},
  };
}

}  // namespace

const std::vector<EventType>& event_types() {
  static const std::vector<EventType> kTypes = [] {
    std::vector<EventType> types = usual_types();
    std::ranges::move(observed_types(), std::back_inserter(types));
    return types;
  }();
  return kTypes;
}

namespace {

constexpr std::string_view kCommon[] = {"number", "service", "source_time_ns", "time_ns", "type"};

}  // namespace

bool EventType::has(std::string_view field) const {
  return std::ranges::find(fields, field) != fields.end();
}

const ClosedField* EventType::find_closed(std::string_view field) const {
  const auto found = std::ranges::find(closed, field, &ClosedField::name);
  return found == closed.end() ? nullptr : &*found;
}

bool is_common_field(std::string_view name) {
  return std::ranges::find(kCommon, name) != std::end(kCommon);
}

const EventType* find_event_type(std::string_view name) {
  const auto found = std::ranges::find(event_types(), name, &EventType::name);
  return found == event_types().end() ? nullptr : &*found;
}

std::vector<std::string> event_type_names() {
  std::vector<std::string> names;
  names.reserve(event_types().size());
  for (const EventType& type : event_types()) names.emplace_back(type.name);
  return names;
}

std::vector<std::string> all_event_fields() {
  std::set<std::string, std::less<>> names(std::begin(kCommon), std::end(kCommon));
  for (const EventType& type : event_types()) names.insert(type.fields.begin(), type.fields.end());
  return {names.begin(), names.end()};
}

bool is_event_field(std::string_view name) {
  const auto all = all_event_fields();
  return std::ranges::find(all, name) != all.end();
}

}  // namespace misrule::dsl
