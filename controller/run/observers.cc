#include "controller/run/observers.h"

#include <utility>

namespace misrule::controller {

Status Observers::start(const ServicePlan& plan) {
  if (!plan.service.wal_stream) return {};
  const std::string name = plan.service.name;
  StepTarget target = plan.step;
  for (const model::Interface& interface : plan.service.interfaces) {
    if (interface.protocol != model::Protocol::kPostgres) continue;
    target.port = interface.port;
    break;
  }
  const auto is_up = [services = &parts_.services, name] { return services->is_up(name); };
  MISRULE_TRY(auto stream, WalStream::start({.service = name,
                                             .wanted = *plan.service.wal_stream,
                                             .target = std::move(target),
                                             .sink = parts_.sink,
                                             .start = parts_.start,
                                             .is_up = is_up,
                                             .interrupt_fd = parts_.interrupt_fd,
                                             .is_disposable = plan.stand_in != nullptr}));
  const std::scoped_lock lock(mutex_);
  streams_.push_back(std::move(stream));
  return {};
}

std::vector<WalStream*> Observers::all() const {
  const std::scoped_lock lock(mutex_);
  std::vector<WalStream*> all;
  all.reserve(streams_.size());
  for (const auto& stream : streams_) all.push_back(stream.get());
  return all;
}

Status Observers::barrier(TimePoint deadline) {
  for (WalStream* stream : all()) MISRULE_TRY_VOID(stream->barrier(deadline));
  return {};
}

Status Observers::finish() {
  Status first = {};
  for (WalStream* stream : all()) {
    Status finished = stream->finish();
    if (first) first = std::move(finished);
  }
  return first;
}

std::vector<std::string> Observers::notes() const {
  std::vector<std::string> notes;
  for (const WalStream* stream : all()) notes.push_back(stream->lag_text());
  return notes;
}

}  // namespace misrule::controller
