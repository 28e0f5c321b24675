#pragma once

// What happened: one Event per syscall decision, proxied request, step, log line, lifecycle change.
//
// Assertions, monitors and reports read only events. docs/events.md has types and fields.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace misrule::model {

/// JSON text of a decoded payload, kept as it came; whoever asks for it decodes it.
struct Json {
  std::string text = {};
  bool operator==(const Json&) const = default;
};

using Field = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Json>;

/// One component per service (and "test"): how many events of it precede or are this one.
using VectorClock = std::vector<std::pair<std::string, std::uint64_t>>;

struct Event {
  static constexpr std::size_t kFieldsUsual = 8;

  std::uint64_t number = 0;         ///< Unique in its test, from 1, by the order of reservation.
  std::int64_t time_ns = 0;         ///< CLOCK_MONOTONIC less the test's start.
  std::int64_t source_time_ns = 0;  ///< When the source says it happened, on the same scale.
  std::string service = {};         ///< Who did it: a service's name, or "test".
  std::string type = {};            ///< "proxy", "stdout", ...: docs/events.md.
  std::vector<std::pair<std::string, Field>> fields = {};  ///< In the order that people read them.
  /// Numbers of earlier events that happened before this one although another service emitted them
  /// (a step_recv after its step_send). The sink turns them into the clock.
  std::vector<std::uint64_t> after = {};
  VectorClock clock = {};  ///< Filled by the sink.

  const Field* find(std::string_view name) const;
  Event& set(std::string name, Field value) {
    if (fields.empty()) fields.reserve(kFieldsUsual);
    fields.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  /// The same, in the place of a field that has this name already.
  Event& put(std::string_view name, Field value);
  void remove(std::string_view name);
};

/// A field as people read it: text as it is, numbers and booleans as JSON spells them, null as "".
std::string field_text(const Field& field);

/// A trace that a fault leaves and the failure that it stands for would not: assertions and stories
/// see it only when they ask for it.
bool is_injected(const Event& event);

/// Where events go. Thread-safe; emitting never blocks on a reader and never fails visibly: a log
/// that cannot be written ends the run as an infrastructure error.
class EventSink {
 public:
  virtual ~EventSink() = default;

  /// Fills in number, times that are zero, and the clock; returns the number.
  virtual std::uint64_t emit(Event event) = 0;
};

}  // namespace misrule::model
