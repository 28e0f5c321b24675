#include "controller/run/observers.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "controller/observe/file_tail.h"
#include "controller/observe/http_tail.h"
#include "controller/observe/redis_listener.h"
#include "controller/observe/wal_stream.h"
#include "controller/run/poller.h"

namespace misrule::controller {
namespace {

/// The service itself, not a proxy before it.
StepTarget target_of(const ServicePlan& plan, model::Protocol protocol) {
  StepTarget target = plan.step;
  for (const model::Interface& interface : plan.service.interfaces) {
    if (interface.protocol != protocol) continue;
    target.port = interface.port;
    break;
  }
  return target;
}

}  // namespace

Status Observers::start_wal_stream(const ServicePlan& plan) {
  const std::string name = plan.service.name;
  const auto is_up = [services = &parts_.services, name] { return services->is_up(name); };
  MISRULE_TRY(auto stream, WalStream::start({.service = name,
                                             .wanted = *plan.service.wal_stream,
                                             .target = target_of(plan, model::Protocol::kPostgres),
                                             .sink = parts_.sink,
                                             .start = parts_.start,
                                             .is_up = is_up,
                                             .interrupt_fd = parts_.interrupt_fd,
                                             .is_disposable = plan.stand_in != nullptr}));
  add(std::move(stream));
  return {};
}

Status Observers::start_file(const ServicePlan& plan, const model::WrittenFile& wanted) {
  MISRULE_TRY(LineDecoder decoder, LineDecoder::make(wanted.decoder));
  const std::filesystem::path path = wanted.path;
  // A stand-in's folder is made when it starts.
  const bool is_fresh = plan.stand_in != nullptr && path.is_relative();
  const std::filesystem::path declared = std::filesystem::path(plan.spec_folder) / plan.service.cwd;
  const auto locate = [services = &parts_.services, name = plan.service.name, path, declared,
                       is_fresh]() -> std::optional<std::string> {
    if (!is_fresh) return (declared / path).lexically_normal().string();
    const std::string cwd = services->cwd_of(name);
    if (cwd.empty()) return std::nullopt;
    return (std::filesystem::path(cwd) / path).lexically_normal().string();
  };
  add(FileTail::start({.service = plan.service.name,
                       .path = wanted.path,
                       .decoder = std::move(decoder),
                       .sink = parts_.sink,
                       .locate = locate,
                       .is_fresh = is_fresh}));
  return {};
}

Status Observers::prepare(const ServicePlan& plan) {
  for (const model::Observed& wanted : plan.service.observed) {
    const auto* file = std::get_if<model::WrittenFile>(&wanted);
    if (file != nullptr) MISRULE_TRY_VOID(start_file(plan, *file));
  }
  return {};
}

ListenerParts Observers::listener_of(const ServicePlan& plan, std::string name) const {
  const auto is_up = [services = &parts_.services, service = plan.service.name] {
    return services->is_up(service);
  };
  return {.service = plan.service.name,
          .name = std::move(name),
          .sink = parts_.sink,
          .is_up = is_up,
          .interrupt_fd = parts_.interrupt_fd};
}

Status Observers::start_redis(const ServicePlan& plan) {
  std::vector<RedisListener::Subscription> wanted;
  ListenerParts parts = listener_of(plan, "");
  std::vector<std::string> names;
  for (const model::Observed& one : plan.service.observed) {
    if (const auto* keyspace = std::get_if<model::RedisKeyspace>(&one)) {
      names.emplace_back("keyspace");
      for (const std::string& glob : keyspace->keys) {
        wanted.push_back(RedisListener::keys_like(glob));
      }
    } else if (const auto* messages = std::get_if<model::RedisChannel>(&one)) {
      MISRULE_TRY(LineDecoder decoder, LineDecoder::make(messages->decoder));
      names.push_back(fmt::format("pubsub({})", messages->channel));
      wanted.push_back({.pattern = messages->channel, .decoder = std::move(decoder)});
    } else {
      continue;
    }
    std::string type = model::observed_type(one);
    if (std::ranges::find(parts.types, type) == parts.types.end()) {
      parts.types.push_back(std::move(type));
    }
  }
  if (wanted.empty()) return {};
  parts.name = fmt::format("{}", fmt::join(names, ", "));
  parts.target = target_of(plan, model::Protocol::kRedis);
  MISRULE_TRY(auto listener,
              RedisListener::start(std::move(parts), std::move(wanted), plan.stand_in != nullptr));
  add(std::move(listener));
  return {};
}

Status Observers::start_http(const ServicePlan& plan, const model::TailedHttp& wanted) {
  MISRULE_TRY(LineDecoder decoder, LineDecoder::make(wanted.decoder));
  ListenerParts parts = listener_of(plan, fmt::format("tail_http({})", wanted.url));
  parts.types = {"tail_http"};
  parts.target = target_of(plan, model::Protocol::kHttp);
  if (wanted.port != 0) parts.target.port = wanted.port;
  const std::string authority = fmt::format("localhost:{}", parts.target.port);
  MISRULE_TRY(auto tail, HttpTail::start(std::move(parts), {.url = wanted.url,
                                                            .path = wanted.path,
                                                            .authority = authority,
                                                            .decoder = std::move(decoder)}));
  add(std::move(tail));
  return {};
}

Status Observers::start(const ServicePlan& plan) {
  if (plan.service.wal_stream) MISRULE_TRY_VOID(start_wal_stream(plan));
  for (const model::Observed& one : plan.service.observed) {
    const auto* response = std::get_if<model::TailedHttp>(&one);
    if (response != nullptr) MISRULE_TRY_VOID(start_http(plan, *response));
    const auto* polled = std::get_if<model::PolledValue>(&one);
    if (polled == nullptr) continue;
    add(Poller::start({.service = plan.service.name,
                       .wanted = *polled,
                       .spec = parts_.spec,
                       .sink = parts_.sink,
                       .services = parts_.services}));
  }
  return start_redis(plan);
}

void Observers::add(std::unique_ptr<Observer> observer) {
  const std::scoped_lock lock(mutex_);
  observers_.push_back(std::move(observer));
}

std::vector<Observer*> Observers::all() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Observer*> all;
  all.reserve(observers_.size());
  for (const auto& observer : observers_) all.push_back(observer.get());
  return all;
}

Status Observers::barrier(TimePoint deadline) {
  for (Observer* observer : all()) MISRULE_TRY_VOID(observer->barrier(deadline));
  return {};
}

void Observers::tell_lag(const Observer& observer) {
  const ObserverLag lag = observer.lag();
  model::Event event = {.service = lag.service, .type = "lifecycle"};
  event.set("action", std::string("observed")).set("observer", lag.name);
  event.set("events", static_cast<std::int64_t>(lag.events));
  event.set("lag_ms", lag.lag_max_ns / 1'000'000);
  parts_.sink.emit(std::move(event));
}

Status Observers::finish() {
  Status first = {};
  for (Observer* observer : all()) {
    Status finished = observer->finish();
    if (first) first = std::move(finished);
    tell_lag(*observer);
  }
  return first;
}

std::vector<std::string> Observers::notes() const {
  std::vector<std::string> notes;
  for (const Observer* observer : all()) {
    if (std::string note = observer->note(); !note.empty()) notes.push_back(std::move(note));
  }
  return notes;
}

}  // namespace misrule::controller
