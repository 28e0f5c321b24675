#pragma once

// The one ordered log of a test: an append-only file of JSON lines, opened by the coordinator and
// handed in, so that a killed worker loses nothing.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "controller/events/shared_log.h"
#include "spec/model/event.h"

namespace misrule::controller {

using EventPtr = std::shared_ptr<const model::Event>;

class EventLog final : public model::EventSink {
 public:
  /// `file` is open for appending, and for reading if a long log is to be kept there alone: of the
  /// events that can be read again only so many bytes stay in memory.
  EventLog(UniqueFd file, SharedLog shared, TimePoint start);
  ~EventLog() override;

  std::uint64_t emit(model::Event event) override;
  /// Bytes go from one service to another now: what the one told before happened before what the
  /// other tells from now on.
  void passes(std::string_view from, std::string_view to);

  /// Every event emitted through this object, ordered by causality (Event::after), then source
  /// time, then number. A late arrival can stand in the middle; the count only grows.
  std::vector<EventPtr> ordered() const;
  /// How many; grows only.
  std::size_t size() const;
  bool wait_beyond(std::size_t seen, TimePoint deadline) const;
  /// The first failure to write or to read again, if any: the run cannot be trusted then. All that
  /// was emitted is in the file after it.
  Status status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One line of the file, without its end, at the end of `out`; and back. Hostile or cut lines are
/// errors.
void append_json(std::string& out, const model::Event& event);
std::string event_to_json(const model::Event& event);
Result<model::Event> event_from_json(std::string_view line);
/// All whole lines of a log file; a torn last line is left out.
Result<std::vector<model::Event>> read_event_log(const std::string& path);

}  // namespace misrule::controller
