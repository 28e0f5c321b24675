#include "spec/dsl/event_types.h"

#include <algorithm>
#include <set>

namespace misrule::dsl {

const std::vector<EventType>& event_types() {
  static const std::vector<EventType> kTypes = {
      {"lifecycle",
       {"action", "pid", "duration_ms", "code", "signal", "explained_by", "rule", "detail"},
       true,
       true},
      {"step_send",
       {"to", "interface", "protocol", "method", "path", "body", "query"},
       true,
       false},
      {"step_recv",
       {"to", "interface", "protocol", "method", "path", "query", "status", "ok", "error", "code",
        "duration_ms", "body", "data"},
       true,
       false},
      {"proxy",
       {"from",   "to",        "interface", "protocol",    "connection", "operation",
        "query",  "statement", "state",     "method",      "path",       "action",
        "reason", "rule",      "label",     "reply",       "code",       "status",
        "rows",   "server",    "failed",    "duration_ms", "decision"},
       true,
       true},
      {"syscall",
       {"syscall", "name", "path", "to", "interface", "address", "undeclared", "bytes", "decision",
        "rule", "label", "pid"},
       false,
       true},
      {"stdout", {"body", "stream", "data"}, false, true},
  };
  return kTypes;
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
  std::set<std::string, std::less<>> names = {"number", "service", "source_time_ns", "time_ns",
                                              "type"};
  for (const EventType& type : event_types()) names.insert(type.fields.begin(), type.fields.end());
  return {names.begin(), names.end()};
}

bool is_event_field(std::string_view name) {
  const auto all = all_event_fields();
  return std::ranges::find(all, name) != all.end();
}

}  // namespace misrule::dsl
