#include "controller/run/init_link.h"

#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>

#include "controller/run/world/packet.h"

namespace misrule::controller {
namespace {

constexpr auto kAnswerWithin = std::chrono::seconds(10);

ProcessEnd end_of(const InitReport& report) {
  ProcessEnd end = {.was_told_to_end = report.was_told_to_end};
  if (WIFSIGNALED(report.status)) {
    end.signal = WTERMSIG(report.status);
  } else {
    end.code = WEXITSTATUS(report.status);
  }
  return end;
}

}  // namespace

std::string end_text(const ProcessEnd& end) {
  if (end.signal == 0) return fmt::format("exited with status {}", end.code);
  const char* name = ::sigdescr_np(end.signal);
  return fmt::format("was killed by signal {} ({})", end.signal, name == nullptr ? "?" : name);
}

InitLink::InitLink(UniqueFd socket, Watcher& watcher) : socket_(std::move(socket)) {
  watcher.watch(socket_.fd(), [this] { return take_reports(); });
}

bool InitLink::take_reports() {
  pollfd more = {.fd = socket_.fd(), .events = POLLIN, .revents = 0};
  do {
    if (!take_report()) return false;
  } while (::poll(&more, 1, 0) > 0);
  return true;
}

bool InitLink::take_report() {
  auto packet = receive_packet(socket_.fd());
  // Without PID 1 there is no world, and this process ends with it.
  if (!packet || !*packet) return false;
  if (const Result<InitReport> report = report_from_json((*packet)->text)) note(*report);
  return true;
}

void InitLink::note(const InitReport& report) {
  OnEnd on_end;
  {
    const std::scoped_lock lock(mutex_);
    if (report.token == kKeptToken) {
      kept_ = true;
      changed_.notify_all();
      return;
    }
    if (report.token != 0) {
      Waiting& waiting = spawned_[report.token];
      waiting.pid = report.pid;
      waiting.error = report.error;
      changed_.notify_all();
      return;
    }
    for (auto entry = spawned_.begin(); entry != spawned_.end(); ++entry) {
      if (entry->second.pid != report.pid) continue;
      on_end = std::exchange(entry->second.on_end, nullptr);
      break;
    }
  }
  if (on_end) on_end(end_of(report));
}

Result<int> InitLink::spawn(SpawnOrder order, std::span<const int> fds, OnEnd on_end) {
  std::unique_lock lock(mutex_);
  order.token = next_token_++;
  spawned_[order.token].on_end = std::move(on_end);
  MISRULE_TRY_VOID(send_packet(socket_.fd(), request_to_json({.spawn = order}), fds));
  Waiting& waiting = spawned_[order.token];
  changed_.wait_for(lock, kAnswerWithin,
                    [&waiting] { return waiting.pid != 0 || !waiting.error.empty(); });
  if (!waiting.error.empty()) return fail(Code::kIo, waiting.error);
  if (waiting.pid == 0) return fail(Code::kTimeout, "the world's PID 1 does not answer");
  return waiting.pid;
}

void InitLink::send_signal(int pid, int signal) {
  // A PID 1 that is gone took the process with it.
  static_cast<void>(
      send_packet(socket_.fd(), request_to_json({.kill_pid = pid, .signal = signal})).has_value());
}

Status InitLink::keep_world() {
  std::unique_lock lock(mutex_);
  MISRULE_TRY_VOID(send_packet(socket_.fd(), request_to_json({.keep = true})));
  if (changed_.wait_for(lock, kAnswerWithin, [this] { return kept_; })) return {};
  return fail(Code::kTimeout, "the world's PID 1 does not answer");
}

}  // namespace misrule::controller
