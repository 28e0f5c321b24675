#pragma once

// The one ordered log of a test: an append-only file of JSON lines, opened by the coordinator and
// handed in, so that a killed worker loses nothing.

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "spec/model/event.h"

namespace misrule::controller {

using EventPtr = std::shared_ptr<const model::Event>;

/// Numbers are reserved in a page that coordinator, PID 1 and worker share.
class EventNumbers {
 public:
  static Result<EventNumbers> create();  ///< Before the fork; children inherit the mapping.
  std::uint64_t reserve();               ///< From 1, unique over all processes.
  std::uint64_t reserved() const;        ///< How many so far.
  void reset();                          ///< For the next test, when nobody emits.

 private:
  std::shared_ptr<void> page_ = {};
};

class EventLog final : public model::EventSink {
 public:
  /// `file` is open for appending; each event is one write of one line.
  EventLog(UniqueFd file, EventNumbers numbers, TimePoint start);
  ~EventLog() override;

  std::uint64_t emit(model::Event event) override;

  /// Every event emitted through this object, ordered by causality (Event::after), then source
  /// time, then number. A late arrival can stand in the middle; the count only grows.
  std::vector<EventPtr> ordered() const;
  /// How many; grows only.
  std::size_t size() const;
  bool wait_beyond(std::size_t seen, TimePoint deadline) const;
  /// The first failure to write, if any: the run cannot be trusted then.
  Status status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One line of the file; and back. Hostile or cut lines are errors.
std::string event_to_json(const model::Event& event);
Result<model::Event> event_from_json(std::string_view line);
/// All whole lines of a log file; a torn last line is left out.
Result<std::vector<model::Event>> read_event_log(const std::string& path);

}  // namespace misrule::controller
