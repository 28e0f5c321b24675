#include "proxy/admin/event_hub.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace misrule::proxy {

namespace {

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace

std::string EventReader::take() {
  const std::lock_guard lock(mutex_);
  std::string lines;
  if (left_out_ > 0) {
    model::Event gap{.service = "proxy", .type = "lifecycle"};
    gap.set("action", "events_left_out");
    gap.set("count", static_cast<std::int64_t>(std::exchange(left_out_, 0)));
    lines = to_json_line(gap);
  }
  // What was left out came after what waits: those are told of behind it.
  lines.insert(0, waiting_);
  waiting_.clear();
  return lines;
}

bool EventReader::has_room() {
  const std::lock_guard lock(mutex_);
  if (left_out_ == 0 && waiting_.size() < kWaitingMax) return true;
  ++left_out_;
  return false;
}

void EventReader::add(const std::string& line) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = waiting_.empty();
    waiting_.append(line);
  }
  if (was_empty) wake_();
}

EventHub::EventHub(int fd) : output_(fd), started_ns_(now_ns()) {}

std::uint64_t EventHub::emit(model::Event event) {
  if (event.time_ns == 0) event.time_ns = now_ns() - started_ns_;
  if (!followed_.load(std::memory_order_acquire)) return output_.emit(std::move(event));
  const std::lock_guard lock(mutex_);  // Readers see events in the order of their numbers.
  event.number = output_.emit(event);
  std::erase_if(readers_, [](const auto& reader) { return reader.expired(); });
  followed_.store(!readers_.empty(), std::memory_order_release);
  std::string line;
  for (const std::weak_ptr<EventReader>& known : readers_) {
    const std::shared_ptr<EventReader> reader = known.lock();
    if (reader == nullptr) continue;
    if (!reader->has_room()) {
      left_out_.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    if (line.empty()) line = to_json_line(event);
    reader->add(line);
  }
  return event.number;
}

std::shared_ptr<EventReader> EventHub::follow(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  std::erase_if(readers_, [](const auto& reader) { return reader.expired(); });
  if (readers_.size() >= kReadersMax) return nullptr;
  std::shared_ptr<EventReader> reader(new EventReader(std::move(wake)));
  readers_.push_back(reader);
  followed_.store(true, std::memory_order_release);
  return reader;
}

std::size_t EventHub::readers() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(readers_, [](const auto& reader) { return !reader.expired(); }));
}

}  // namespace misrule::proxy
