#include "controller/run/poller.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace misrule::controller {
namespace {

namespace json = boost::json;

constexpr auto kPause = std::chrono::milliseconds(20);
constexpr auto kFirstWithin = std::chrono::seconds(10);
constexpr std::uint64_t kEventsMax = 10'000;

/// Functions that are polled may ask for events: their own thread does not wait for itself.
thread_local bool is_polling = false;

model::Field field_of(const std::string& text) {
  if (text.empty()) return nullptr;
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || value.is_structured()) return model::Json{.text = text};
  if (value.is_null()) return nullptr;
  if (value.is_bool()) return value.get_bool();
  if (value.is_int64()) return value.get_int64();
  if (value.is_double()) return value.get_double();
  if (value.is_string()) return std::string(value.get_string());
  return text;
}

}  // namespace

Poller::Poller(Parts parts) : parts_(std::move(parts)), host_(parts_.services) {}

std::unique_ptr<Poller> Poller::start(Parts parts) {
  std::unique_ptr<Poller> made(new Poller(std::move(parts)));
  made->thread_ = std::thread([poller = made.get()] { poller->run(); });
  // What it returns before the first step is known then; a function that is slow tells it later.
  static_cast<void>(made->barrier(SteadyClock().now() + kFirstWithin).has_value());
  return made;
}

Poller::~Poller() { static_cast<void>(finish().has_value()); }

void Poller::tell(const std::string& value) {
  if (value == latest_) return;
  const std::string previous = std::exchange(latest_, value);
  {
    const std::scoped_lock lock(mutex_);
    if (++events_ > kEventsMax + 1) return;
  }
  model::Event event = {.service = parts_.service, .type = "poll"};
  if (events_ > kEventsMax) {
    event.type = "lifecycle";
    event.set("action", std::string("output_cut")).set("about", std::string("poll"));
    event.set("detail", fmt::format("more than {} changes of {}", kEventsMax, parts_.wanted.name));
  } else {
    event.set("name", parts_.wanted.name).set("value", field_of(value));
    event.set("previous", field_of(previous));
  }
  parts_.sink.emit(std::move(event));
}

/// False: never again.
bool Poller::ask() {
  // A service that is down is not asked.
  if (!parts_.services.is_up(parts_.service)) return true;
  const TimePoint began = SteadyClock().now();
  const auto value = parts_.spec.run_poll(parts_.wanted.callable, host_);
  if (value) tell(*value);
  const std::scoped_lock lock(mutex_);
  ++calls_;
  longest_ns_ = std::max<std::int64_t>(
      longest_ns_, std::chrono::nanoseconds(SteadyClock().now() - began).count());
  return value.has_value();
}

void Poller::run() {
  is_polling = true;
  std::unique_lock lock(mutex_);
  while (!ending_ && !failed_) {
    const std::uint64_t question = asked_;
    lock.unlock();
    const bool goes_on = ask();
    lock.lock();
    failed_ = !goes_on;
    answered_ = question;
    changed_.notify_all();
    changed_.wait_for(lock, parts_.wanted.every, [&] { return ending_ || asked_ > answered_; });
  }
}

Status Poller::barrier(TimePoint deadline) {
  if (is_polling) return {};
  std::unique_lock lock(mutex_);
  const std::uint64_t question = ++asked_;
  changed_.notify_all();
  while (answered_ < question && !failed_ && !ending_) {
    const TimePoint now = SteadyClock().now();
    if (now >= deadline) {
      return fail(Code::kTimeout, fmt::format("poll(\"{}\") of {} has not returned",
                                              parts_.wanted.name, parts_.service));
    }
    changed_.wait_until(lock, std::min(deadline, now + kPause));
  }
  return {};
}

Status Poller::finish() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  host_.stop();
  if (thread_.joinable()) thread_.join();
  return {};
}

ObserverLag Poller::lag() const {
  const std::scoped_lock lock(mutex_);
  const std::int64_t every = std::chrono::nanoseconds(parts_.wanted.every).count();
  return {.service = parts_.service,
          .name = fmt::format("poll({})", parts_.wanted.name),
          .events = std::min(events_, kEventsMax),
          .lag_max_ns = longest_ns_ + every};
}

std::string Poller::note() const {
  const std::scoped_lock lock(mutex_);
  return fmt::format("poll({}) of {}: {} change{} in {} call{}", parts_.wanted.name, parts_.service,
                     events_, events_ == 1 ? "" : "s", calls_, calls_ == 1 ? "" : "s");
}

}  // namespace misrule::controller
