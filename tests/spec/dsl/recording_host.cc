#include "tests/spec/dsl/recording_host.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace misrule::dsl {

void RecordingHost::note(std::string line) {
  const std::scoped_lock lock(mutex_);
  log_.push_back(std::move(line));
}

std::vector<std::string> RecordingHost::log() {
  const std::scoped_lock lock(mutex_);
  return log_;
}

void RecordingHost::happen(model::Event event) {
  const std::scoped_lock lock(mutex_);
  event.number = events_.size() + 1;
  events_.push_back(std::make_shared<const model::Event>(std::move(event)));
}

void RecordingHost::happen_after(Duration delay, model::Event event) {
  pending_.emplace_back(clock_.now() + delay, std::move(event));
}

namespace {

std::string what_of(const StepCall& call) {
  if (const auto* http = std::get_if<HttpStep>(&call.step)) return http->method + " " + http->path;
  if (const auto* sql = std::get_if<SqlStep>(&call.step)) return sql->sql;
  return fmt::format("{}", fmt::join(std::get<RedisStep>(call.step).words, " "));
}

}  // namespace

StepReply RecordingHost::step(const StepCall& call) {
  {
    const std::scoped_lock lock(mutex_);
    log_.push_back(fmt::format("{} -> {}.{}", what_of(call), call.service, call.interface));
    steps.push_back(call);
  }
  return on_step(call);
}

Result<ArmId> RecordingHost::arm(std::vector<model::Rule> rules) {
  if (on_arm) MISRULE_TRY_VOID(on_arm(rules));
  std::vector<std::string> ids;
  ids.reserve(rules.size());
  for (const model::Rule& rule : rules) ids.push_back(rule.id());
  note(fmt::format("arm {}", fmt::join(ids, ", ")));
  const std::scoped_lock lock(mutex_);
  armed.push_back(std::move(rules));
  return armed.size();
}

Status RecordingHost::disarm(ArmId armed_id) {
  note(fmt::format("disarm {}", armed_id));
  return disarm_status;
}

Result<std::size_t> RecordingHost::release(const std::string& label) {
  note("release " + label);
  return release_result;
}

std::vector<EventPtr> RecordingHost::events() {
  const std::scoped_lock lock(mutex_);
  return events_;
}

bool RecordingHost::wait_for_event(std::size_t seen, TimePoint deadline) {
  on_wait();
  const bool comes = !pending_.empty() && pending_.front().first <= deadline;
  const TimePoint until = comes ? pending_.front().first : deadline;
  if (until > clock_.now()) clock_.advance(until - clock_.now());
  if (comes) {
    happen(std::move(pending_.front().second));
    pending_.pop_front();
  }
  return events().size() > seen;
}

void RecordingHost::pause(TimePoint until) {
  on_wait();
  if (until > clock_.now()) clock_.advance(until - clock_.now());
}

Status RecordingHost::barrier(Duration) {
  note("barrier");
  on_barrier();
  return barrier_status;
}

}  // namespace misrule::dsl
