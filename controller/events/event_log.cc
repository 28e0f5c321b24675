#include "controller/events/event_log.h"

#include <atomic>
#include <cerrno>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"

namespace misrule::controller {

using Counter = std::atomic<std::uint64_t>;
static_assert(Counter::is_always_lock_free, "processes share it");

Result<EventNumbers> EventNumbers::create() {
  const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return std::unexpected(errno_error("mapping the event numbers", errno));
  ::new (page) Counter(0);
  EventNumbers numbers;
  numbers.page_ = std::shared_ptr<void>(page, [bytes](void* mapped) { ::munmap(mapped, bytes); });
  return numbers;
}

std::uint64_t EventNumbers::reserve() { return ++*static_cast<Counter*>(page_.get()); }
std::uint64_t EventNumbers::reserved() const { return *static_cast<const Counter*>(page_.get()); }
void EventNumbers::reset() { *static_cast<Counter*>(page_.get()) = 0; }

namespace {

/// Where an event stands for people: never before what caused it.
struct Place {
  std::int64_t time_ns = 0;
  std::uint64_t number = 0;
  auto operator<=>(const Place&) const = default;
};

struct Placed {
  Place place = {};
  EventPtr event = {};
};

Status write_line(int fd, const std::string& line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(errno_error("writing the event log", errno));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

using ClockMap = std::map<std::string, std::uint64_t>;

void merge_into(ClockMap& clock, const model::VectorClock& other) {
  for (const auto& [service, count] : other) {
    auto& mine = clock[service];
    mine = std::max(mine, count);
  }
}

}  // namespace

struct EventLog::State {
  State(UniqueFd log_file, EventNumbers shared, TimePoint began)
      : file(std::move(log_file)), numbers(std::move(shared)), start(began) {}

  UniqueFd file;
  EventNumbers numbers;
  TimePoint start;

  mutable std::mutex mutex;
  mutable std::condition_variable grown;
  std::vector<Placed> placed;  ///< By place.
  std::unordered_map<std::uint64_t, Placed> by_number;
  std::map<std::string, ClockMap> clocks;  ///< The latest of each service.
  Status status = {};

  void stamp(model::Event& event);
  Place place_of(const model::Event& event) const;
  void insert(Placed entry);
};

void EventLog::State::stamp(model::Event& event) {
  event.number = numbers.reserve();
  if (event.time_ns == 0) event.time_ns = (std::chrono::steady_clock::now() - start).count();
  if (event.source_time_ns == 0) event.source_time_ns = event.time_ns;
  ClockMap& clock = clocks[event.service];
  for (const std::uint64_t earlier : event.after) {
    if (const auto found = by_number.find(earlier); found != by_number.end()) {
      merge_into(clock, found->second.event->clock);
    }
  }
  ++clock[event.service];
  event.clock.assign(clock.begin(), clock.end());
}

Place EventLog::State::place_of(const model::Event& event) const {
  Place place{.time_ns = event.source_time_ns, .number = event.number};
  for (const std::uint64_t earlier : event.after) {
    if (const auto found = by_number.find(earlier); found != by_number.end()) {
      place.time_ns = std::max(place.time_ns, found->second.place.time_ns);
    }
  }
  return place;
}

void EventLog::State::insert(Placed entry) {
  by_number.emplace(entry.place.number, entry);
  const auto at = std::ranges::upper_bound(placed, entry.place, {}, &Placed::place);
  placed.insert(at, std::move(entry));
}

EventLog::EventLog(UniqueFd file, EventNumbers numbers, TimePoint start)
    : state_(std::make_unique<State>(std::move(file), std::move(numbers), start)) {}

EventLog::~EventLog() = default;

std::uint64_t EventLog::emit(model::Event event) {
  const std::scoped_lock lock(state_->mutex);
  state_->stamp(event);
  const Place place = state_->place_of(event);
  if (state_->status) state_->status = write_line(state_->file.fd(), event_to_json(event) + "\n");
  state_->insert({place, std::make_shared<const model::Event>(std::move(event))});
  state_->grown.notify_all();
  return place.number;
}

std::vector<EventPtr> EventLog::ordered() const {
  const std::scoped_lock lock(state_->mutex);
  std::vector<EventPtr> events;
  events.reserve(state_->placed.size());
  for (const Placed& entry : state_->placed) events.push_back(entry.event);
  return events;
}

std::size_t EventLog::size() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->placed.size();
}

bool EventLog::wait_beyond(std::size_t seen, TimePoint deadline) const {
  std::unique_lock lock(state_->mutex);
  return state_->grown.wait_until(lock, deadline, [&] { return state_->placed.size() > seen; });
}

Status EventLog::status() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->status;
}

}  // namespace misrule::controller
