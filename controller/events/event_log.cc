#include "controller/events/event_log.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>

#include "base/check.h"
#include "controller/events/causal_clocks.h"
#include "controller/events/log_file.h"

namespace misrule::controller {
namespace {

using model::Event;
using model::VectorClock;

/// Of the events that the file has as well; the rest of a long log is read again when asked for.
constexpr std::size_t kKeptBytesMax = std::size_t{48} << 20U;
/// The latest stay whatever they need, up to this size each: an answer follows its request.
constexpr std::size_t kRecentMax = 1024;
constexpr std::size_t kRecentBytesMax = std::size_t{16} << 10U;

/// What is known of an event by its number. No time: another process took that number.
struct Record {
  static constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();
  static constexpr std::uint64_t kNoPlace = std::numeric_limits<std::uint64_t>::max();

  /// When it stands for people: never before what caused it.
  std::int64_t time_ns = kNoTime;
  std::uint64_t place = kNoPlace;  ///< In the file.
  EventPtr event = {};             ///< Unless it is in the file alone.
};

std::size_t bytes_of(const Event& event, std::size_t line_bytes) {
  return sizeof(Event) + event.fields.capacity() * sizeof(event.fields.front()) +
         event.clock.capacity() * sizeof(event.clock.front()) + line_bytes;
}

Result<EventPtr> read_event(LogFile& file, std::uint64_t place) {
  MISRULE_TRY(const std::string line, file.read(place));
  MISRULE_TRY(Event event, event_from_json(line));
  return std::make_shared<const Event>(std::move(event));
}

}  // namespace

struct EventLog::State {
  State(UniqueFd log_file, SharedLog shared_log, TimePoint began)
      : shared(shared_log), start(began), file(std::move(log_file), std::move(shared_log)) {}

  SharedLog shared;
  TimePoint start;

  mutable std::mutex mutex;
  mutable std::condition_variable grown;
  std::uint64_t first = 0;     ///< The number of the first record.
  std::deque<Record> records;  ///< By number, from `first` on.
  std::deque<std::uint64_t> order;
  std::size_t kept_bytes = 0;
  std::array<std::uint64_t, kRecentMax> recent = {};  ///< Numbers; those kept for good not.
  std::size_t next_recent = 0;
  CausalClocks clocks;
  std::string line;  ///< Its memory is used again.
  Status status = {};
  LogFile file;

  std::int64_t time_now() const { return (std::chrono::steady_clock::now() - start).count(); }
  Record* find(std::uint64_t number);
  void stamp(Event& event);
  std::int64_t time_of(const Event& event);
  VectorClock clock_of(const Record& record);
  void record(Event event);
  void keep(Record& record, std::uint64_t number, std::size_t bytes);
  void insert(std::uint64_t number);
};

Record* EventLog::State::find(std::uint64_t number) {
  if (number < first || number - first >= records.size()) return nullptr;
  Record& record = records[number - first];
  return record.time_ns == Record::kNoTime ? nullptr : &record;
}

VectorClock EventLog::State::clock_of(const Record& record) {
  if (record.event) return record.event->clock;
  const Result<EventPtr> event = read_event(file, record.place);
  if (event) return (*event)->clock;
  if (status) status = std::unexpected(event.error());
  return {};
}

void EventLog::State::stamp(Event& event) {
  event.number = shared.reserve();
  if (event.time_ns == 0) event.time_ns = time_now();
  if (event.source_time_ns == 0) event.source_time_ns = event.time_ns;
  for (const std::uint64_t earlier : event.after) {
    if (const Record* cause = find(earlier)) clocks.learn(event.service, clock_of(*cause));
  }
  event.clock = clocks.next(event.service, event.source_time_ns);
}

std::int64_t EventLog::State::time_of(const Event& event) {
  std::int64_t time = event.source_time_ns;
  for (const std::uint64_t earlier : event.after) {
    if (const Record* cause = find(earlier)) time = std::max(time, cause->time_ns);
  }
  return time;
}

void EventLog::State::record(Event event) {
  const std::uint64_t number = event.number;
  Record made = {.time_ns = time_of(event)};
  line.clear();
  append_json(line, event);
  made.place = file.append(line).value_or(Record::kNoPlace);
  const std::size_t bytes = bytes_of(event, line.size());
  made.event = std::make_shared<const Event>(std::move(event));
  if (records.empty()) first = number;
  records.resize(number - first + 1);
  Record& stored = records.back() = std::move(made);
  keep(stored, number, bytes);
  insert(number);
}

void EventLog::State::keep(Record& record, std::uint64_t number, std::size_t bytes) {
  if (record.place == Record::kNoPlace) return;
  if (kept_bytes + bytes <= kKeptBytesMax) {
    kept_bytes += bytes;
  } else if (bytes > kRecentBytesMax) {
    record.event.reset();
  } else if (Record* old = find(std::exchange(recent[next_recent++ % kRecentMax], number))) {
    old->event.reset();
  }
}

void EventLog::State::insert(std::uint64_t number) {
  const auto key = [this](std::uint64_t one) { return std::pair(find(one)->time_ns, one); };
  if (order.empty() || key(order.back()) < key(number)) {
    order.push_back(number);
  } else {
    order.insert(std::ranges::upper_bound(order, key(number), {}, key), number);
  }
}

EventLog::EventLog(UniqueFd file, SharedLog shared, TimePoint start)
    : state_(std::make_unique<State>(std::move(file), std::move(shared), start)) {}

EventLog::~EventLog() = default;

std::uint64_t EventLog::emit(Event event) {
  const std::scoped_lock lock(state_->mutex);
  state_->stamp(event);
  const std::uint64_t number = event.number;
  state_->record(std::move(event));
  state_->grown.notify_all();
  return number;
}

void EventLog::passes(std::string_view from, std::string_view to) {
  const std::scoped_lock lock(state_->mutex);
  state_->clocks.pass(from, to, state_->time_now());
}

std::vector<EventPtr> EventLog::ordered() const {
  std::vector<EventPtr> events;
  std::vector<std::pair<std::size_t, std::uint64_t>> unread;
  {
    const std::scoped_lock lock(state_->mutex);
    events.reserve(state_->order.size());
    for (const std::uint64_t number : state_->order) {
      const Record& record = *state_->find(number);
      if (!record.event) unread.emplace_back(events.size(), record.place);
      events.push_back(record.event);
    }
  }
  for (const auto& [at, place] : unread) {
    Result<EventPtr> event = read_event(state_->file, place);
    if (event) {
      events[at] = *std::move(event);
      continue;
    }
    const std::scoped_lock lock(state_->mutex);
    if (state_->status) state_->status = std::unexpected(event.error());
  }
  std::erase(events, nullptr);
  return events;
}

std::size_t EventLog::size() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->order.size();
}

bool EventLog::wait_beyond(std::size_t seen, TimePoint deadline) const {
  std::unique_lock lock(state_->mutex);
  return state_->grown.wait_until(lock, deadline, [&] { return state_->order.size() > seen; });
}

Status EventLog::status() const {
  const Status written = state_->file.status();
  const std::scoped_lock lock(state_->mutex);
  return written ? state_->status : written;
}

}  // namespace misrule::controller
